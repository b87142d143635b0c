// A person made by hand: somebody who called, or stood in the shop.
import { useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { FormBody, Group, Note, TextInput, toast, useForm } from '@/ui'
import { looksLikeMail } from './traits'

export function NewPerson({ onClose }: { onClose: () => void }) {
  const t = useT()
  const go = useGo()
  const create = useSend('post', '/api/v1/people', { refresh: ['/api/v1/people'] })
  const form = useForm({
    initial: { first_name: '', last_name: '', email: '', phone: '', user_id: '' },
    check: (v) => ({
      ...(Object.values(v).every((x) => x.trim() === '') ? { first_name: t('people.new_nothing') } : {}),
      ...(v.email.trim() && !looksLikeMail(v.email) ? { email: t('trait_fault.email') } : {}),
    }),
    save: async ({ user_id, ...rest }) => {
      const told = Object.entries(rest)
        .map(([k, v]) => [k, v.trim()])
        .filter(([, v]) => v)
      const made = await create.mutateAsync({
        body: {
          identifiers: user_id.trim() ? [{ kind: 'user_id', value: user_id.trim() }] : [],
          traits: Object.fromEntries(told) as Record<string, unknown>,
        },
      })
      toast(t('people.new_done'))
      onClose()
      go(`/people/${made.id}`)
    },
  })
  return (
    <FormBody form={form} action={t('action.create')} onCancel={onClose}>
      <Note>{t('people.new_help')}</Note>
      <Group grow align="flex-start">
        <TextInput label={t('people.last_name')} data-autofocus autoComplete="off" {...form.getInputProps('last_name')} />
        <TextInput label={t('people.first_name')} autoComplete="off" {...form.getInputProps('first_name')} />
      </Group>
      <TextInput type="email" label={t('field.email')} autoComplete="off" {...form.getInputProps('email')} />
      <TextInput type="tel" label={t('people.phone')} autoComplete="off" {...form.getInputProps('phone')} />
      <TextInput label={t('people.user_id')} description={t('people.user_id_help')} autoComplete="off" {...form.getInputProps('user_id')} />
    </FormBody>
  )
}
