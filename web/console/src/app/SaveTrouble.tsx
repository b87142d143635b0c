import { useRead } from '@/api'
import { useT } from '@/i18n'
import type { Saving } from '@/lib/autosave'
import { Ago, Alert, Button, Group, toastError } from '@/ui'
import { useCan } from './session'

interface Draft {
  saving: Saving
  failure: string
  save: (overwrite?: boolean) => Promise<void>
  reload: () => Promise<void>
}

/** What stands above an editor while its draft cannot be saved: who was faster, with both versions to choose from; or why not, and to try again. */
export function SaveTrouble({ draft, noun, id }: { draft: Draft; noun: string; id: string }) {
  const t = useT()
  const can = useCan()
  const last = useRead(
    '/api/v1/audit',
    { query: { noun, noun_id: id, limit: 1 } as never },
    { enabled: draft.saving === 'conflict' && can('audit.read') },
  ).data?.items?.[0]
  if (draft.saving === 'conflict')
    return (
      <Alert color="warning" title={last?.actor.name ? t('saving.conflict_by', { name: last.actor.name }) : t('saving.conflict')}>
        <Group gap="xs">
          {last ? <Ago at={last.at} /> : null}
          <Button onClick={() => void draft.reload().catch(toastError)}>{t('journeys.conflict_reload')}</Button>
          <Button onClick={() => void draft.save(true)}>{t('journeys.conflict_overwrite')}</Button>
        </Group>
      </Alert>
    )
  if (draft.saving !== 'failed') return null
  return (
    <Alert color="danger">
      <Group gap="xs">
        {draft.failure} {t('saving.kept_here')}
        <Button onClick={() => void draft.save()}>{t('action.retry')}</Button>
      </Group>
    </Alert>
  )
}
