import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { useGo } from '@/lib/route'
import {
  Button,
  Card,
  confirm,
  DataTable,
  EmptyState,
  Group,
  Note,
  personName,
  Radio,
  Stack,
  Time,
  toast,
  toastError,
  DangerButton,
} from '@/ui'

/** What a person may ask for: to see everything, to know who looked, to be forgotten. */
export function Privacy({ person: p }: { person: Schemas['Person'] }) {
  const t = useT()
  const can = useCan()
  return (
    <Stack>
      <Card title={t('privacy.export')}>
        <Stack gap="sm" align="flex-start">
          <Note>{t('privacy.export_text')}</Note>
          <Button component="a" href={`/api/v1/people/${p.id}/export`} download>
            {t('privacy.export_action')}
          </Button>
        </Stack>
      </Card>
      {can('audit.read') ? <Access id={p.id} /> : null}
      <Erase person={p} />
    </Stack>
  )
}

function Access({ id }: { id: string }) {
  const t = useT()
  const log = useList('/api/v1/audit', { query: { noun: 'person', noun_id: id } }, { size: 20 })
  return (
    <Card title={t('privacy.access')}>
      <DataTable
        name="person.access"
        label={t('privacy.access')}
        rows={log.items}
        rowId={(e) => e.id}
        loading={log.loading}
        error={log.error}
        onRetry={log.reload}
        more={log.more}
        loadingMore={log.loadingMore}
        onMore={log.loadMore}
        plain
        columns={[
          { id: 'who', title: t('privacy.who'), cell: (e) => e.actor.name || word('audit.actor', e.actor.kind) },
          { id: 'what', title: t('privacy.what'), cell: (e) => word('audit.verb', e.action.slice(e.action.indexOf('.') + 1)) },
          { id: 'at', title: t('field.time'), num: true, cell: (e) => <Time at={e.at} /> },
        ]}
        empty={<EmptyState title={t('privacy.access_empty')} />}
      />
    </Card>
  )
}

function Erase({ person: p }: { person: Schemas['Person'] }) {
  const t = useT()
  const go = useGo()
  const [mode, setMode] = useState<'forget' | 'refuse'>('refuse')
  const erase = useSend('post', '/api/v1/people/{id}/erasure', { refresh: ['/api/v1/erasures', '/api/v1/people'] })
  const run = async () => {
    const name = personName(p)
    if (
      !(await confirm({
        title: t('privacy.erase_title', { name }),
        text: t('privacy.erase_text'),
        action: t('privacy.erase'),
        danger: true,
        name,
      }))
    )
      return
    erase.mutate(
      { path: { id: p.id }, body: { mode } },
      {
        onError: toastError,
        onSuccess: (r) => {
          toast(t('privacy.erase_begun'))
          go(`/settings/privacy?open=${r.id}`)
        },
      },
    )
  }
  return (
    <Card title={t('privacy.erase')}>
      <Stack gap="sm">
        <Note>{t('privacy.erase_text')}</Note>
        <Radio.Group label={t('privacy.mode')} value={mode} onChange={(v) => setMode(v as typeof mode)}>
          <Stack gap="xs" mt="xs">
            <Radio value="refuse" label={t('privacy.mode_refuse')} description={t('privacy.mode_refuse_help')} />
            <Radio value="forget" label={t('privacy.mode_forget')} description={t('privacy.mode_forget_help')} />
          </Stack>
        </Radio.Group>
        <Group>
          <DangerButton loading={erase.isPending} onClick={() => void run()}>
            {t('privacy.erase')}
          </DangerButton>
        </Group>
      </Stack>
    </Card>
  )
}
