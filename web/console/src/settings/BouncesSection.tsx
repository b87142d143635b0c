import { type Schemas, useList } from '@/api'
import { codesBelow, useT, word } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { ListTable, EmptyState, FilterBar, FilterChip, Note, PersonLink, personName, SavedViews, Tag, Time } from '@/ui'
import { SettingsSection } from './SettingsSection'

const none = { class: '' }

type Class = Schemas['Bounce']['class']

/** What came back and what people complained about, with what was done. */
export default function BouncesSection() {
  const t = useT()
  const [filter, setFilter] = useUrlState(none)
  const bounces = useList('/api/v1/bounces', { query: { class: (filter.class || undefined) as Class | undefined } })
  return (
    <SettingsSection id="bounces">
      <SavedViews list="bounces" state={filter} defaults={none} onApply={setFilter} />
      <FilterBar active={filter.class !== ''} onClear={() => setFilter({ class: '' })}>
        <FilterChip
          label={t('bounce.class')}
          value={filter.class}
          choices={codesBelow('bounce_class').map((c) => ({ value: c, label: t(`bounce_class.${c}`) }))}
          onChange={(v) => setFilter({ class: v })}
        />
      </FilterBar>
      <ListTable
        name="bounces"
        label={t('settings.section.bounces')}
        of={bounces}
        rowId={(b) => `${b.message_id} ${b.at} ${b.class}`}
        filtered={filter.class !== ''}
        onClearFilters={() => setFilter({ class: '' })}
        columns={[
          {
            id: 'person',
            title: t('field.person'),
            cell: (b) => (
              <>
                <PersonLink person={b.person} />
                <div>
                  <Note>{b.hint}</Note>
                </div>
              </>
            ),
            text: (b) => personName(b.person),
          },
          { id: 'class', title: t('bounce.class'), cell: (b) => <Tag>{word('bounce_class', b.class)}</Tag>, text: (b) => b.class },
          {
            id: 'remedy',
            title: t('bounce.remedy'),
            cell: (b) => (
              <>
                {word('bounce_remedy', b.remedy)}
                {b.code || b.detail ? (
                  <div>
                    <Note>
                      {b.code} {b.detail}
                    </Note>
                  </div>
                ) : null}
              </>
            ),
            text: (b) => b.remedy,
          },
          { id: 'time', title: t('field.time'), num: true, cell: (b) => <Time at={b.at} />, text: (b) => b.at },
        ]}
        empty={<EmptyState title={t('bounce.empty')} text={t('bounce.empty_help')} />}
      />
    </SettingsSection>
  )
}
