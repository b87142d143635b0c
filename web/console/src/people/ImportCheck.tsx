import type { Schemas } from '@/api'
import { formatTime, formatNumber, t as text, useT, word } from '@/i18n'
import { Alert, Card, Link, Stack, Stat, StatRow, Tag } from '@/ui'
import css from './Import.module.css'

type Row = Schemas['ImportedPreview']

/** What would become of a file. */
export function ImportCheck({ of }: { of: Schemas['ImportCheck'] }) {
  const t = useT()
  const reasons = Object.entries(of.reasons).toSorted(([, a], [, b]) => b - a)
  return (
    <>
      <StatRow>
        <Stat label={t('imports.stat.rows')} value={formatNumber(of.rows)} />
        <Stat label={t('imports.stat.created')} value={formatNumber(of.created)} />
        <Stat label={t('imports.stat.known')} value={formatNumber(of.known)} />
        {of.events > 0 ? <Stat label={t('imports.stat.events')} value={formatNumber(of.events)} /> : null}
        <Stat label={t('imports.stat.rejected')} value={formatNumber(of.rejected)} />
      </StatRow>
      <Alert color="gray" role="status">
        <Stack gap={4}>
          <span>{t('imports.nothing_written')}</span>
          {of.complete ? null : <span>{t('imports.incomplete', { n: formatNumber(of.rows) })}</span>}
          {of.oldest && of.newest ? <span>{t('imports.span', { from: formatTime(of.oldest), to: formatTime(of.newest) })}</span> : null}
          {of.yes + of.no > 0 ? <span>{t('imports.consents', { yes: formatNumber(of.yes), no: formatNumber(of.no) })}</span> : null}
          <span>{t('imports.starts')}</span>
        </Stack>
      </Alert>
      {of.apart > 0 ? (
        <Alert color="warning" title={t('imports.apart', { count: of.apart, n: formatNumber(of.apart) })}>
          {t('imports.apart_help')}
        </Alert>
      ) : null}
      {of.rejected > 0 ? (
        <Card title={t('imports.rejected')} help={t('imports.rejected_help')}>
          <ul className={css.columns}>
            {reasons.map(([code, n]) => {
              const first = of.faults.find((f) => f.code === code)
              return (
                <li key={code} style={{ padding: '6px 0' }}>
                  <strong>{t('imports.times', { count: n, n: formatNumber(n) })}</strong> {word('import_fault', code)}
                  {first ? (
                    <div className={css.samples}>
                      {[t('imports.line', { n: formatNumber(first.line) }), first.column, first.value ? `“${first.value}”` : '']
                        .filter(Boolean)
                        .join(' · ')}
                    </div>
                  ) : null}
                </li>
              )
            })}
          </ul>
        </Card>
      ) : null}
      <Card title={t('imports.first')} help={t('imports.first_help')}>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
        <div data-sideways className={css.rows} tabIndex={0} role="region" aria-label={t('imports.first')}>
          <table>
            <thead>
              <tr>
                <th>{t('imports.row')}</th>
                <th>{t('imports.group.who')}</th>
                <th>{t('imports.group.person')}</th>
                <th>{t('imports.group.event')}</th>
              </tr>
            </thead>
            <tbody>
              {of.first.map((r) => (
                <Preview key={r.line} of={r} />
              ))}
            </tbody>
          </table>
        </div>
      </Card>
    </>
  )
}

function Preview({ of: r }: { of: Row }) {
  const t = useT()
  if (r.fault)
    return (
      <tr>
        <td>{formatNumber(r.line)}</td>
        <td colSpan={3} className={css.bad}>
          {word('import_fault', r.fault.code)}
          {r.fault.column ? <Pairs of={{ [r.fault.column]: r.fault.value ?? '' }} /> : null}
        </td>
      </tr>
    )
  const says = Object.entries(r.subscriptions ?? {}).length
  return (
    <tr>
      <td>{formatNumber(r.line)}</td>
      <td>
        {r.person ? <Link to={`/people/${r.person}`}>{t('imports.is_known')}</Link> : <Tag tone="accent">{t('imports.is_new')}</Tag>}
        <Pairs of={Object.fromEntries(r.identifiers.map((i) => [word('identifier', i.kind), i.value]))} />
      </td>
      <td>
        <Pairs of={r.traits ?? {}} />
        {says > 0 ? (
          <Pairs
            of={{
              [t('imports.group.consent')]: Object.values(r.subscriptions ?? {})
                .map((y) => text(y ? 'imports.yes' : 'imports.no'))
                .join(', '),
            }}
          />
        ) : null}
      </td>
      <td>
        {r.event ? <strong>{r.event}</strong> : null}
        {r.time ? <div>{formatTime(r.time)}</div> : null}
        <Pairs of={r.properties ?? {}} />
      </td>
    </tr>
  )
}

const Pairs = ({ of }: { of: Record<string, unknown> }) => (
  <>
    {Object.entries(of).map(([k, v]) => (
      <span key={k} className={css.pair}>
        <span>{k}</span> {typeof v === 'object' ? JSON.stringify(v) : String(v)}
      </span>
    ))}
  </>
)
