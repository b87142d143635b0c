// What the team assumes beside what the people of the segment are really like.
import { type Schemas, useRead } from '@/api'
import {
  formatCivilClock,
  formatCountry,
  formatLanguage,
  formatNumber,
  formatPercent,
  formatTime,
  hasText,
  t as text,
  useT,
  word,
} from '@/i18n'
import { eventName } from '@/people/happening'
import { Card, EmptyState, Loaded, Note } from '@/ui'
import css from './personas.module.css'
import { placeName } from './places'

type Persona = Schemas['Persona']
type Real = Schemas['PersonaReality']
type Share = Schemas['RealShare']

/** How a value of a trait is written: countries and languages by name, moments as times, the product's own codes in words. */
function shown(path: string, value: string): string {
  if (path === 'country' && /^[A-Z]{2}$/.test(value)) return formatCountry(value)
  if (path === 'locale') return formatLanguage(value)
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return formatTime(value)
  if (path === 'standing.participation') return word('standing.part', value)
  if (path.startsWith('standing.') && hasText(`${path}.${value}`)) return text(`${path}.${value}`)
  if (path === 'standing.channel') return word('channel', value)
  return value
}

/** How a number of a trait is written: an hour of the day as the time it stands for. */
export function figure(path: string, value: number): string {
  if (path !== 'standing.hour') return formatNumber(value)
  const minutes = Math.round(value * 60)
  return formatCivilClock(`${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`)
}

export function Reality({ persona }: { persona: Persona }) {
  const t = useT()
  const real = useRead('/api/v1/personas/{id}/reality', { path: { id: persona.id } })
  return (
    <Loaded of={real}>
      {(r) =>
        r.people === 0 ? (
          <Card title={t('personas.assumed_real')}>
            <EmptyState
              title={t(r.unsettled ? 'personas.unsettled' : 'personas.nobody')}
              text={t(r.unsettled ? 'personas.unsettled_text' : 'personas.nobody_text')}
            />
          </Card>
        ) : (
          <>
            <Card title={t('personas.assumed_real')} help={t('personas.real_lead', { n: formatNumber(r.people), count: r.people })}>
              {r.unsettled ? <Note>{t('personas.unsettled_text')}</Note> : null}
              <Versus persona={persona} real={r} />
            </Card>
            {r.traits.length ? (
              <Card title={t('personas.traits')} help={t('personas.usual_help')}>
                <div className={css.columns}>
                  {r.traits.map((x) => (
                    <div key={x.path}>
                      <h3>
                        {word('personas.trait', x.path)} <Note>{t('personas.n', { n: formatNumber(x.known) })}</Note>
                      </h3>
                      {x.kind === 'number' ? (
                        <p>
                          {t(x.low === x.high ? 'personas.median_same' : 'personas.median', {
                            median: figure(x.path, x.median ?? 0),
                            low: figure(x.path, x.low ?? 0),
                            high: figure(x.path, x.high ?? 0),
                          })}
                        </p>
                      ) : (
                        <Bars
                          shares={x.values}
                          name={(v) => (x.kind === 'boolean' ? text(`personas.${v.value}`) : shown(x.path, v.value))}
                        />
                      )}
                    </div>
                  ))}
                </div>
              </Card>
            ) : null}
            {r.doings.length ? (
              <Card title={t('personas.doings')} help={t('personas.doings_help')}>
                <Bars
                  shares={r.doings}
                  name={(v) =>
                    v.type === 'page' ? t('personas.page', { name: v.value }) : eventName({ type: v.type ?? '', name: v.value })
                  }
                />
              </Card>
            ) : null}
          </>
        )
      }
    </Loaded>
  )
}

function Versus({ persona: p, real: r }: { persona: Persona; real: Real }) {
  const t = useT()
  const a = r.age
  const ages = a.known
    ? t('personas.real_age', {
        median: formatNumber(Math.round(a.median)),
        low: formatNumber(Math.round(a.low)),
        high: formatNumber(Math.round(a.high)),
        n: formatNumber(a.known),
      })
    : t('personas.age_unknown')
  const fits = a.known > 0 && p.age_to ? Math.round(a.median) >= (p.age_from ?? 0) && Math.round(a.median) <= p.age_to : undefined
  const said = (p.channels ?? []).map(placeName)
  const rows: { name: string; assumed: string; real: string; fits?: boolean }[] = [
    { name: t('personas.age'), assumed: ageBand(p), real: ages, fits },
    {
      name: t('personas.channels'),
      assumed: said.join(t('personas.comma')),
      real: r.channels.length
        ? r.channels
            .map((c) =>
              t('personas.real_channel', {
                name: placeName(c.kind),
                share: formatPercent(c.reached / r.people),
                answered: formatPercent(c.answered / r.people),
              }),
            )
            .join(t('personas.comma'))
        : t('personas.no_channel'),
    },
  ]
  return (
    <table className={css.versus}>
      <thead>
        <tr>
          <td />
          <th scope="col">{t('personas.assumed')}</th>
          <th scope="col">{t('personas.real')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td data-label={t('personas.assumed')}>{row.assumed || t('personas.not_said')}</td>
            <td data-label={t('personas.real')}>
              {row.real}
              {row.fits === undefined ? null : (
                <div>
                  <Note>{t(row.fits ? 'personas.fits' : 'personas.fits_not')}</Note>
                </div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** "30–39", or nothing if no age is assumed. */
export function ageBand(p: Persona): string {
  if (!p.age_to) return ''
  return p.age_from === p.age_to
    ? text('personas.age_exact', { n: formatNumber(p.age_to) })
    : text('personas.age_band', { low: formatNumber(p.age_from ?? 0), high: formatNumber(p.age_to) })
}

function Bars({ shares, name }: { shares: Share[]; name: (s: Share) => string }) {
  return (
    <ul className={css.bars}>
      {shares.map((s) => {
        const share = s.n / s.of
        const usual = s.usual === undefined ? '' : text('personas.usual', { share: formatPercent(s.usual) })
        return (
          <li key={`${s.type} ${s.value}`} className={css.barRow}>
            <span className={css.barName}>{name(s)}</span>
            <span className={css.barFigure}>
              {formatPercent(share)} ({formatNumber(s.n)}) {usual}
            </span>
            <span className={css.track} aria-hidden>
              <span style={{ width: `${share * 100}%` }} />
              {s.usual === undefined ? null : <i style={{ left: `calc(${s.usual * 100}% - 1px)` }} />}
            </span>
          </li>
        )
      })}
    </ul>
  )
}
