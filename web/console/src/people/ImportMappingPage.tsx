import { Trash2 } from 'lucide-react'
import { type Schemas, useRead, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo, useParam } from '@/lib/route'
import { Button, Card, FormBody, FormPage, Loaded, Stack, TextInput, toast, toastError, toastUndo, useForm } from '@/ui'
import { ImportColumns } from './ImportColumns'
import { choicesOf, extrasOf, planOf } from './importplan'

const changed = ['/api/v1/import-mappings']
const here = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What was kept of the columns of one sort of file, to be changed or forgotten. */
export default function ImportMappingPage() {
  const t = useT()
  const go = useGo()
  const id = useParam('id')
  const remove = useSend('delete', '/api/v1/import-mappings/{id}', { refresh: changed })
  const mapping = useRead('/api/v1/import-mappings/{id}', { path: { id } }, { enabled: remove.isIdle }) // what is removed is not read anew
  const create = useSend('post', '/api/v1/import-mappings', { refresh: changed })
  const forget = (m: Schemas['ImportMapping']) =>
    remove.mutate(
      { path: { id } },
      {
        onSuccess: () => {
          go('/people/import/mappings')
          toastUndo(t('imports.mapping.removed', { name: m.name }), () =>
            create.mutate({ body: { name: m.name, columns: m.columns, plan: m.plan } }, { onError: toastError }),
          )
        },
        onError: toastError,
      },
    )
  return (
    <FormPage
      title={mapping.data?.name ?? t('imports.mapping.all')}
      room
      lead={t('imports.mapping.lead')}
      crumbs={[
        { to: '/people', label: t('nav.people') },
        { to: '/people/import', label: t('imports.title') },
        { to: '/people/import/mappings', label: t('imports.mapping.all') },
      ]}
      actions={
        mapping.data ? (
          <Button leftSection={<Trash2 size={16} />} loading={remove.isPending} onClick={() => forget(mapping.data)}>
            {t('action.remove')}
          </Button>
        ) : null
      }
    >
      <Loaded of={mapping}>{(m) => <MappingForm mapping={m} />}</Loaded>
    </FormPage>
  )
}

function MappingForm({ mapping: m }: { mapping: Schemas['ImportMapping'] }) {
  const t = useT()
  const go = useGo()
  const scheme = useRead('/api/v1/identity-scheme', {})
  const save = useSend('put', '/api/v1/import-mappings/{id}', { refresh: changed })
  const form = useForm({
    initial: { name: m.name, choices: choicesOf(m.columns, m.plan), extras: extrasOf(m.plan, here) },
    follow: true,
    revision: m.revision,
    save: (v, revision) => save.mutateAsync({ path: { id: m.id }, body: { name: v.name, plan: planOf(v.choices, v.extras), revision } }),
    onDone: () => {
      toast(t('imports.mapping.saved'))
      go('/people/import/mappings')
    },
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={() => go('/people/import/mappings')}>
      <Stack gap="md">
        <Card>
          <TextInput label={t('field.name')} required maxLength={100} {...form.getInputProps('name')} />
        </Card>
        <ImportColumns
          columns={m.columns.map((name) => ({ name, samples: [] }))}
          kinds={(scheme.data?.kinds ?? []).map((k) => k.name)}
          choices={form.values.choices}
          onChoices={(choices) => form.setFieldValue('choices', choices)}
          extras={form.values.extras}
          onExtras={(extras) => form.setFieldValue('extras', extras)}
          busy={form.busy}
        />
      </Stack>
    </FormBody>
  )
}
