import { useState } from 'react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { codesBelow, formatNumber, hasText, useT, word } from '@/i18n'
import { useFile } from '@/jobs/useFile'
import { useUrlState } from '@/lib/route'
import {
  Button,
  ListTable,
  DateTimeInput,
  Definition,
  EmptyState,
  FilterBar,
  FilterChip,
  Json,
  Link,
  Note,
  SavedViews,
  Sheet,
  SimpleGrid,
  TextInput,
  Time,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Entry = Schemas['AuditEntry']

const pages: Record<string, string> = {
  person: '/people/',
  segment: '/segments/',
  list: '/lists/',
  persona: '/personas/',
  journey_map: '/journey-maps/',
  account: '/settings/accounts/',
  sending_domain: '/settings/domains/',
  source: '/settings/sources/',
  campaign: '/campaigns/',
  journey: '/journeys/',
}
const clear = { actor: '', noun: '', id: '', from: '', to: '' }

/** What was done, in words: "saw · person". */
const verb = (e: Entry) => word('audit.verb', e.action.slice(e.action.indexOf('.') + 1))

export default function AuditSection() {
  const t = useT()
  const can = useCan()
  const [filter, setFilter] = useUrlState(clear)
  const [open, setOpen] = useState<Entry | null>(null)
  const staff = useList('/api/v1/staff', {}, { enabled: can('staff.read'), size: 500 })
  const moment = (day: string, add = 0) => {
    if (!day) return undefined
    const d = new Date(`${day}T00:00`)
    d.setDate(d.getDate() + add)
    return d.toISOString()
  }
  const query = {
    actor: filter.actor || undefined,
    noun: filter.noun || undefined,
    noun_id: filter.id || undefined,
    from: moment(filter.from),
    to: moment(filter.to, 1),
  }
  const log = useList('/api/v1/audit', { query })
  const file = useFile('audit', query)
  const active = Object.values(filter).some(Boolean)
  const about = (e: Entry, whole = false) => {
    const name = hasText(`audit.noun.${e.noun}`) ? t(`audit.noun.${e.noun}`) : e.noun
    const page = pages[e.noun]
    return (
      <>
        {page && e.noun_id ? <Link to={page + e.noun_id}>{name}</Link> : name} {whole && e.noun_id ? <Note>{e.noun_id}</Note> : null}
      </>
    )
  }
  const actor = (e: Entry) =>
    e.actor.id === 'operator'
      ? t('audit.operator', { name: e.actor.name })
      : e.actor.kind === 'system'
        ? t('audit.system')
        : e.actor.name || e.actor.id
  /** What is said of a move, in words. */
  const moved = (e: Entry): [string, string][] => {
    if (e.action !== 'workspace.leave' && e.action !== 'workspace.arrive') return []
    const told = e.detail as Record<string, string | number>
    return (['from', 'to', 'records', 'events', 'files'] as const)
      .filter((k) => told[k] !== undefined)
      .map((k) => [t(`audit.moved_${k}`), typeof told[k] === 'number' ? formatNumber(told[k]) : String(told[k])])
  }
  return (
    <SettingsSection id="audit">
      <SavedViews list="audit" state={filter} defaults={clear} onApply={setFilter} />
      <FilterBar active={active} onClear={() => setFilter(clear)}>
        <FilterChip
          label={t('audit.who')}
          value={filter.actor}
          choices={staff.items.map((m) => ({ value: m.id, label: m.name || m.email }))}
          onChange={(v) => setFilter({ actor: v })}
        />
        <FilterChip
          label={t('audit.about')}
          value={filter.noun}
          choices={codesBelow('audit.noun').map((n) => ({ value: n, label: t(`audit.noun.${n}`) }))}
          onChange={(v) => setFilter({ noun: v })}
        />
        <TextInput
          aria-label={t('audit.id')}
          placeholder={t('audit.id')}
          defaultValue={filter.id}
          key={filter.id}
          onBlur={(e) => setFilter({ id: e.currentTarget.value.trim() })}
          onKeyDown={(e) => e.key === 'Enter' && !e.nativeEvent.isComposing && setFilter({ id: e.currentTarget.value.trim() })}
        />
      </FilterBar>
      <SimpleGrid cols={2} maw={480}>
        <DateTimeInput dateOnly label={t('audit.from')} value={filter.from} onChange={(v) => setFilter({ from: v })} />
        <DateTimeInput dateOnly label={t('audit.to')} value={filter.to} onChange={(v) => setFilter({ to: v })} />
      </SimpleGrid>
      <ListTable
        name="audit"
        label={t('settings.section.audit')}
        of={log}
        rowId={(e) => e.id}
        filtered={active}
        onClearFilters={() => setFilter(clear)}
        onOpen={setOpen}
        file={file}
        columns={[
          { id: 'who', title: t('audit.who'), cell: actor, text: (e) => e.actor.name || e.actor.id, field: 'actor.name' },
          { id: 'what', opens: true, title: t('audit.what'), cell: verb, text: (e) => e.action, field: 'action' },
          { id: 'about', title: t('audit.about'), cell: (e) => about(e), text: (e) => e.noun, field: 'noun' },
          { id: 'noun_id', title: t('audit.id'), optional: true, cell: (e) => e.noun_id ?? '', text: (e) => e.noun_id },
          { id: 'ip', title: 'IP', optional: true, cell: (e) => e.ip ?? '', text: (e) => e.ip },
          { id: 'time', title: t('field.time'), cell: (e) => <Time at={e.at} />, text: (e) => e.at, field: 'at' },
          {
            id: 'more',
            title: '',
            num: true,
            cell: (e) => (
              <Button size="compact-sm" variant="subtle" onClick={() => setOpen(e)}>
                {t('audit.details')}
              </Button>
            ),
          },
        ]}
        empty={<EmptyState title={t('state.empty')} />}
      />
      <Sheet title={t('audit.entry')} opened={open !== null} onClose={() => setOpen(null)}>
        {open ? (
          <>
            <Definition
              items={[
                [t('audit.who'), `${actor(open)} (${word('audit.actor', open.actor.kind)})`],
                [t('audit.what'), `${verb(open)} (${open.action})`],
                [t('audit.about'), about(open, true)],
                [t('field.time'), <Time key="at" at={open.at} />],
                ['IP', open.ip],
                ...moved(open),
              ]}
            />
            {moved(open).length === 0 && open.detail && JSON.stringify(open.detail) !== '{}' && open.detail !== null ? (
              <Json value={open.detail} />
            ) : null}
          </>
        ) : null}
      </Sheet>
    </SettingsSection>
  )
}
