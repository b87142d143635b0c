import { useList } from '@/api'
import { useCan } from '@/app/session'
import { hasText, t as text, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { ListTable, EmptyState, FilterBar, FilterChip, Note, SavedViews, Time } from '@/ui'
import { SettingsSection } from './SettingsSection'

const none = { source: '' }

/** What is wrong, in the reader's language: the text of the code, else of its last part, which says the same of any field. */
export function rejectionText(code: string, reason: string): string {
  if (hasText(`rejection.${code}`)) return text(`rejection.${code}`)
  const [, field, fault] = /^event\.(.+)\.([a-z_]+)$/.exec(code) ?? []
  if (field && hasText(`rejection.any.${fault}`)) return text(`rejection.any.${fault}`, { field })
  return reason
}

/** What the intake has refused in the last days, and why. */
export default function RejectionsSection() {
  const t = useT()
  const can = useCan()
  const [filter, setFilter] = useUrlState(none)
  const sources = useList('/api/v1/sources', {}, { enabled: can('keys.write'), size: 500 })
  return (
    <SettingsSection id="rejections">
      <SavedViews list="rejections" state={filter} defaults={none} onApply={setFilter} />
      {sources.items.length > 1 ? (
        <FilterBar active={filter.source !== ''} onClear={() => setFilter({ source: '' })}>
          <FilterChip
            label={t('field.source')}
            value={filter.source}
            choices={sources.items.map((s) => ({ value: s.id, label: s.name }))}
            onChange={(source) => setFilter({ source })}
          />
        </FilterBar>
      ) : null}
      <RejectionTable source={filter.source} onClear={() => setFilter({ source: '' })} />
    </SettingsSection>
  )
}

export function RejectionTable({ source, bare, onClear }: { source: string; bare?: boolean; onClear?: () => void }) {
  const t = useT()
  const rejections = useList('/api/v1/rejections', { query: { source: source || undefined } })
  return (
    <ListTable
      bare={bare}
      plain={bare}
      name="rejections"
      label={t('settings.rejections')}
      of={rejections}
      rowId={(r) => r.id}
      filtered={!bare && source !== ''}
      onClearFilters={onClear}
      columns={[
        {
          id: 'reason',
          title: t('field.reason'),
          cell: (r) => (
            <>
              {rejectionText(r.code, r.reason)}
              <div>
                <Note>
                  {r.reason} <code>{r.code}</code>
                </Note>
              </div>
            </>
          ),
          text: (r) => `${r.code}: ${r.reason}`,
        },
        { id: 'event', title: t('field.event'), cell: (r) => r.name || r.type || '', text: (r) => r.name },
        { id: 'message', title: 'messageId', optional: true, cell: (r) => <code>{r.message_id ?? ''}</code>, text: (r) => r.message_id },
        { id: 'time', title: t('field.time'), num: true, cell: (r) => <Time at={r.at} />, text: (r) => r.at },
      ]}
      empty={<EmptyState title={t('settings.no_rejections_title')} text={t('settings.no_rejections')} />}
    />
  )
}
