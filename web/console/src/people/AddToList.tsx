import { ListPlus } from 'lucide-react'
import { useState } from 'react'
import { call, refresh, type Schemas } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, FormBody, Menu, Sheet, TextInput, toast, toastError, toastUndo, useForm } from '@/ui'

const atOnce = 5000 // rows a call

interface Props {
  ids: string[]
  /** All that fit are meant, not only those that were read. */
  everybody?: { who: Schemas['PeopleFilter']; count: number }
  lists: Schemas['StaticList'][]
  onDone: () => void
}

/** Puts the selected people on a list, an existing one or a new one; it can be undone. */
export function AddToList({ ids, everybody, lists, onDone }: Props) {
  const t = useT()
  const [making, setMaking] = useState(false)
  const undone = async (name: string, undo: () => Promise<unknown>) => {
    try {
      await undo()
      await refresh(['/api/v1/lists', '/api/v1/people', '/api/v1/jobs'])
      toast(t('people.undone', { name }))
    } catch (err) {
      toastError(err)
    }
  }
  const addPicked = async (id: string, name: string) => {
    const added: string[] = [] // those who were on it already stay on it
    for (let from = 0; from < ids.length; from += atOnce) {
      const answer = await call('post', '/api/v1/lists/{id}/members', { path: { id }, body: { rows: ids.slice(from, from + atOnce) } })
      added.push(...(answer.rows ?? []).filter((r) => r.outcome === 'added').map((r) => r.row))
    }
    toastUndo(t('people.added', { count: ids.length, n: formatNumber(ids.length), name }), () =>
      undone(name, async () => {
        for (let from = 0; from < added.length; from += atOnce)
          await call('post', '/api/v1/lists/{id}/remove', { path: { id }, body: { rows: added.slice(from, from + atOnce) } })
      }),
    )
  }
  const addEverybody = async (id: string, name: string, all: NonNullable<Props['everybody']>) => {
    const job = await call('post', '/api/v1/lists/{id}/changes', { path: { id }, body: { who: all.who } })
    toastUndo(t('people.changing', { n: formatNumber(all.count), name }), () =>
      undone(name, () => call('post', '/api/v1/list-changes/{id}/undo', { path: { id: job.id } })),
    )
  }
  const add = async (id: string, name: string) => {
    if (everybody) await addEverybody(id, name, everybody)
    else await addPicked(id, name)
    await refresh(['/api/v1/lists', '/api/v1/people', '/api/v1/jobs'])
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
