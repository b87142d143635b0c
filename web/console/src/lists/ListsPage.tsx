import { ListChecks, Plus } from 'lucide-react'
import { useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo, useMaking } from '@/lib/route'
import { Ago, Button, ListTable, EmptyState, FormBody, Link, ListPage, Num, Sheet, TextInput, useForm } from '@/ui'

/** Sets of people that somebody uploads. */
export default function ListsPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const [making, setMaking] = useMaking()
  const lists = useList('/api/v1/lists', {})
  const create = useSend('post', '/api/v1/lists', { refresh: ['/api/v1/lists'] })
  const form = useForm({
    initial: { name: '' },
    save: async (v) => {
      const made = await create.mutateAsync({ body: v })
      go(`/lists/${made.id}`)
    },
  })
  useShortcuts(write ? [{ keys: 'n', label: t('lists.make'), run: () => setMaking(true) }] : [])
  const button = write ? (
    <Button variant="filled" leftSection={<Plus size={16} />} onClick={() => setMaking(true)}>
      {t('lists.make')}
    </Button>
  ) : null
  return (
    <ListPage title={t('lists.title')} lead={t('lists.lead')} crumbs={[{ to: '/segments', label: t('nav.segments') }]} actions={button}>
      <ListTable
        name="lists"
        label={t('lists.title')}
        of={lists}
        rowId={(l) => l.id}
        onOpen={(l) => go(`/lists/${l.id}`)}
        columns={[
          { id: 'name', title: t('field.name'), cell: (l) => <Link to={`/lists/${l.id}`}>{l.name}</Link>, text: (l) => l.name },
          { id: 'changed', title: t('field.changed'), cell: (l) => <Ago at={l.updated_at} />, text: (l) => l.updated_at },
          { id: 'size', title: t('field.people'), num: true, cell: (l) => <Num value={l.size} />, text: (l) => l.size },
        ]}
        empty={<EmptyState icon={ListChecks} title={t('lists.empty')} action={button} />}
      />
      <Sheet title={t('lists.make')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <TextInput label={t('lists.new')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
        </FormBody>
      </Sheet>
    </ListPage>
  )
}
