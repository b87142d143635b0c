import { useList } from '@/api'
import { useT } from '@/i18n'
import { DataTable, EmptyState, Note, Time } from '@/ui'
import { SettingsSection } from './SettingsSection'

/** What the intake has refused in the last days, and why. */
export default function RejectionsSection() {
  const t = useT()
  const rejections = useList('/api/v1/rejections', {})
  return (
    <SettingsSection id="rejections">
      <DataTable
        name="rejections"
        label={t('settings.rejections')}
        rows={rejections.items}
        rowId={(r) => r.id}
        loading={rejections.loading}
        error={rejections.error}
        onRetry={rejections.reload}
        more={rejections.more}
        loadingMore={rejections.loadingMore}
        onMore={rejections.loadMore}
        columns={[
          {
            id: 'reason',
            title: t('field.reason'),
            cell: (r) => (
              <>
                {r.reason}
                <Note>{r.code}</Note>
              </>
            ),
            text: (r) => r.reason,
          },
          { id: 'event', title: t('field.event'), cell: (r) => r.name || r.type || '', text: (r) => r.name },
          { id: 'message', title: 'messageId', cell: (r) => <code>{r.message_id ?? ''}</code>, text: (r) => r.message_id },
          { id: 'time', title: t('field.time'), num: true, cell: (r) => <Time at={r.at} />, text: (r) => r.at },
        ]}
        empty={<EmptyState title={t('settings.no_rejections_title')} text={t('settings.no_rejections')} />}
      />
    </SettingsSection>
  )
}
