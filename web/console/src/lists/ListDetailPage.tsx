import { Upload } from 'lucide-react'
import { useState } from 'react'
import { call, describe, type Listing, refresh, type Schemas, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { useExport } from '@/jobs/useExport'
import { useGo, useParam } from '@/lib/route'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  ListTable,
  DetailPage,
  EmptyState,
  FileButton,
  Group,
  Json,
  Loaded,
  PersonLink,
  Stack,
  Textarea,
  toast,
  toastError,
} from '@/ui'
import { RemoveMembers } from './RemoveMembers'
import { rowsOf } from './rows'

const atOnce = 5000 // rows a call; what the API takes

export default function ListDetailPage() {
  const t = useT()
  const go = useGo()
  const id = useParam('id')
  const remove = useSend('delete', '/api/v1/lists/{id}', { refresh: ['/api/v1/lists'] })
  const enabled = !remove.isPending && !remove.isSuccess // what is removed is not read anew
  const list = useRead('/api/v1/lists/{id}', { path: { id } }, { enabled })
  const members = useList('/api/v1/lists/{id}/members', { path: { id } }, { enabled })
  const takeAway = async (name: string, size: number) => {
    const text = t('lists.delete_text', { count: size, n: formatNumber(size) })
    if (!(await confirm({ title: t('lists.delete_title', { name }), text, action: t('action.delete'), danger: true, name }))) return
    const onSuccess = () => {
      go('/lists', { replace: true })
      toast(t('lists.deleted', { name }))
    }
    remove.mutate({ path: { id } }, { onSuccess, onError: toastError })
  }
  return (
    <Loaded of={list}>
      {(l) => <View list={l} members={members} onDelete={() => void takeAway(l.name, l.size)} deleting={remove.isPending} />}
    </Loaded>
  )
}

interface ViewProps {
  list: { id: string; name: string; size: number }
  members: Listing<Schemas['Person']>
  onDelete: () => void
  deleting: boolean
}

function View({ list: { id, name, size }, members, onDelete, deleting }: ViewProps) {
  const t = useT()
  const can = useCan()
  const write = can('segments.write')
  const exporting = useExport()
  return (
    <DetailPage
      title={name}
      lead={t('lists.lead')}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/lists', label: t('lists.title') },
      ]}
      actions={
        can('export') ? (
          <Button loading={exporting.busy} onClick={() => exporting.people({ set: id }, name)}>
            {t('people.export')}
          </Button>
        ) : undefined
      }
      more={[write && { label: t('action.delete'), run: onDelete, busy: deleting, red: true }]}
      rail={write ? <UploadCard id={id} /> : undefined}
    >
      <ListTable
        name="list-members"
        people
        label={t('segments.members')}
        of={members}
        rowId={(p) => p.id}
        columns={[
          { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: (p) => p.name ?? p.id },
          { id: 'email', title: t('field.email'), cell: (p) => p.email ?? '', text: (p) => p.email },
          { id: 'seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} />, text: (p) => p.last_seen },
        ]}
        matching={{ scope: id, total: size, onAsk: () => void refresh(['/api/v1/lists']) }}
        bulk={
          write
            ? (ids, clear, all) => <RemoveMembers id={id} name={name} ids={ids} all={all ? size : undefined} onDone={clear} />
            : undefined
        }
        empty={<EmptyState title={t('list.nobody')} />}
      />
    </DetailPage>
  )
}

function UploadCard({ id }: { id: string }) {
  const t = useT()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState<string | null>(null)
  const [done, setDone] = useState<{ counts: Record<string, number>; unknown: string[] } | null>(null)
  const [error, setError] = useState<unknown>(null)
  const send = async (verb: 'members' | 'remove') => {
    const all = rowsOf(text)
    const counts: Record<string, number> = {}
    const unknown: string[] = []
    setBusy(verb)
    setError(null)
    try {
      for (let from = 0; from < all.length; from += atOnce) {
        const answer = await call('post', `/api/v1/lists/{id}/${verb}`, { path: { id }, body: { rows: all.slice(from, from + atOnce) } })
        for (const [k, n] of Object.entries(answer.counts as Record<string, number>)) counts[k] = (counts[k] ?? 0) + n
        unknown.push(...(answer.rows ?? []).filter((r) => r.outcome === 'unknown').map((r) => r.row))
      }
      setDone({ counts, unknown })
      await refresh(['/api/v1/lists'])
    } catch (err) {
      setError(err)
    } finally {
      setBusy(null)
    }
  }
  return (
    <Card title={t('lists.upload_title')} help={t('lists.upload')}>
      <Stack gap="sm">
        <FileButton accept=".txt,.csv" onChange={(file) => void file?.text().then(setText)}>
          {(p) => (
            <Button {...p} leftSection={<Upload size={16} />}>
              {t('lists.file')}
            </Button>
          )}
        </FileButton>
        <Textarea
          aria-label={t('lists.upload')}
          placeholder={'aya@example.com\nuser_id:u1'}
          autosize
          minRows={5}
          maxRows={14}
          spellCheck={false}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
        />
        <Group gap="xs">
          <Button variant="filled" disabled={!text.trim()} loading={busy === 'members'} onClick={() => void send('members')}>
            {t('lists.add')}
          </Button>
          <Button disabled={!text.trim()} loading={busy === 'remove'} onClick={() => void send('remove')}>
            {t('lists.remove')}
          </Button>
        </Group>
        {error ? <Alert color="danger">{describe(error)}</Alert> : null}
        {done ? (
          <div role="status">
            {Object.entries(done.counts)
              .map(([k, n]) => `${t(`lists.${k}`)} ${formatNumber(n)}`)
              .join(' · ')}
            {done.unknown.length > 0 ? <Json value={done.unknown.slice(0, 100)} /> : null}
          </div>
        ) : null}
      </Stack>
    </Card>
  )
}
