import { ListPlus } from 'lucide-react'
import { useState } from 'react'
import { call, refresh, type Schemas } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, FormBody, Menu, Sheet, TextInput, toast, toastError, useForm } from '@/ui'

const atOnce = 5000 // rows a call

/** Puts the selected people on a list, an existing one or a new one. */
export function AddToList({ ids, lists, onDone }: { ids: string[]; lists: Schemas['StaticList'][]; onDone: () => void }) {
  const t = useT()
  const [making, setMaking] = useState(false)
  const add = async (id: string, name: string) => {
    for (let from = 0; from < ids.length; from += atOnce)
      await call('post', '/api/v1/lists/{id}/members', { path: { id }, body: { rows: ids.slice(from, from + atOnce) } })
    await refresh(['/api/v1/lists', '/api/v1/people'])
    toast(t('people.added', { count: ids.length, n: formatNumber(ids.length), name }))
    onDone()
  }
  const form = useForm({
    initial: { name: '' },
    save: async ({ name }) => {
      const made = await call('post', '/api/v1/lists', { body: { name } })
      await add(made.id, name)
    },
  })
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button size="compact-sm" variant="light" leftSection={<ListPlus size={14} />}>
            {t('people.add_to_list')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {lists.slice(0, 20).map((l) => (
            <Menu.Item key={l.id} onClick={() => void add(l.id, l.name).catch(toastError)}>
              {l.name}
            </Menu.Item>
          ))}
          <Menu.Item onClick={() => setMaking(true)}>{t('people.new_list')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Sheet title={t('people.add_to_list')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <TextInput label={t('people.list_name')} required maxLength={200} {...form.getInputProps('name')} />
        </FormBody>
      </Sheet>
    </>
  )
}
