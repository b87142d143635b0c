import { CircleAlert, CircleCheck, Info } from 'lucide-react'
import { type Schemas, wordsFor } from '@/api'
import { formatLanguage, formatNumber, hasText, useT, word, t as text } from '@/i18n'
import { Badge, EmptyState, UnstyledButton } from '@/ui'
import css from './content.module.css'

export type Finding = Schemas['Finding']

const order = ['error', 'variable', 'link', 'access', 'spam', 'length', 'purpose', 'brand', 'language', 'other']

/** A finding in the reader's words; the server's own where we have none for its code. */
export function say(f: Finding): string {
  // Liquid that cannot be read is worded once, with its place, for mails and for the templates of journeys.
  const liquid = /liquid\.(.+)$/.exec(f.code)?.[1]
  if (liquid) return wordsFor(`journey.template.liquid.${liquid}`, [String(f.line ?? 1), String(f.col ?? 1)]) ?? f.message
  if (f.code === 'unknown' && f.like) return text('finding.unknown_like', { like: f.like })
  const short = f.code.slice(f.code.lastIndexOf('.') + 1)
  const key = [`finding.${f.code}`, ...(f.error ? [`finding.error.${short}`] : []), `finding.${short}`].find(hasText)
  const name =
    f.code === 'translation_missing'
      ? formatLanguage(f.name ?? '')
      : f.code === 'contrast'
        ? word('brand.pair', f.name ?? '')
        : (f.name ?? '')
  return key ? text(key, { name, size: formatNumber(102) }) : f.message
}

export function groupsOf(findings: Finding[]): [string, Finding[]][] {
  const groups = new Map<string, Finding[]>()
  const seen = new Set<string>()
  for (const f of findings) {
    const key = [f.code, f.name, f.block, f.field, f.locale].join('|')
    if (seen.has(key)) continue
    seen.add(key)
    const group = f.error ? 'error' : f.group || (f.code === 'missing' ? 'variable' : 'other')
    groups.set(group, [...(groups.get(group) ?? []), f])
  }
  return [...groups].toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
}

/** The same beside the input that it is about: which name, and where it stands. */
export const sayHere = (f: Finding): string =>
  f.code === 'unknown'
    ? text('finding.at', { name: f.name ?? '', line: formatNumber(f.line ?? 1), col: formatNumber(f.col ?? 1), text: say(f) })
    : say(f)

/** Whether a finding is shown beside its input, too. */
export const marks = (f: Finding) => f.error || f.code === 'unknown'

/** What the checks found, by what it is about; each leads to its place. */
export function Findings({ findings, onOpen }: { findings: Finding[]; onOpen: (f: Finding) => void }) {
  const t = useT()
  const groups = groupsOf(findings)
  if (groups.length === 0) return <EmptyState icon={CircleCheck} title={t('content.no_findings')} text={t('content.no_findings_help')} />
  return (
    <div className={css.findings}>
      {groups.map(([group, list]) => (
        <section key={group}>
          <h3>
            {word('finding.group', group)} <Badge color={group === 'error' ? 'danger' : 'gray'}>{formatNumber(list.length)}</Badge>
          </h3>
          <ul>
            {list.map((f, i) => (
              // oxlint-disable-next-line react/no-array-index-key
              <li key={i}>
                <UnstyledButton className={css.finding} onClick={() => onOpen(f)}>
                  {f.error ? <CircleAlert size={15} className={css.bad} /> : <Info size={15} />}
                  <span>
                    {say(f)}
                    <small>
                      {[
                        f.name && f.code !== 'translation_missing' && f.code !== 'contrast' ? f.name : '',
                        f.code === 'unknown'
                          ? text('finding.place', { line: formatNumber(f.line ?? 1), col: formatNumber(f.col ?? 1) })
                          : '',
                        f.locale ? formatLanguage(f.locale) : '',
                      ]
                        .filter(Boolean)
                        .join(' · ')}
                    </small>
                  </span>
                </UnstyledButton>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}
