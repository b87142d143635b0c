import { useRead } from '@/api'
import type { Difference } from '@/app/ClashNotice'
import { formatList, useT } from '@/i18n'
import { useNames } from '@/journeys/useThings'
import { placeName } from '@/personas/places'
import { type Plan, textRows } from './plan'

type T = ReturnType<typeof useT>

/** What is written in a plan, by where it stands: the heading of the place, the text, and what is compared if that is not the text. */
function texts(t: T, of: Plan): Map<string, [label: string, text: string, same?: string]> {
  const out = new Map<string, [string, string, string?]>([
    ['name', [t('field.name'), of.name]],
    ['description', [t('field.description'), of.description ?? '']],
    ['stages', [t('maps.stages'), formatList(of.stages.map((s) => s.name || '–'))]],
    ['rows', [t('maps.row_name'), formatList((of.rows ?? []).map((r) => r.name || '–'))]],
  ])
  const named = new Map(of.stages.map((s) => [s.id, s.name || '–']))
  for (const s of of.stages) {
    const put = (row: string, label: string, text: string, same = text) =>
      out.set(`${s.id} ${row}`, [`${s.name || '–'} · ${label}`, text, same])
    put('mood', t('maps.row.mood'), t(`maps.mood.${s.mood}`))
    for (const row of textRows) put(row, t(`maps.row.${row}`), s[row] ?? '')
    for (const r of of.rows ?? []) put(r.id, r.name || '–', s.notes?.[r.id] ?? '')
    const also = s.also ?? []
    put('also', t('maps.row.also'), formatList(also.map((id) => named.get(id) ?? id)), also.join(' '))
    put(
      'touchpoints',
      t('maps.row.touchpoints'),
      (s.touchpoints ?? [])
        .map((p) =>
          [
            p.name,
            placeName(p.channel ?? ''),
            p.owner,
            ...(p.signals ?? []).map((g) => [g.type, g.name, g.path, g.channel].filter(Boolean).join(' ')),
          ]
            .filter(Boolean)
            .join(', '),
        )
        .join('\n'),
    )
  }
  return out
}

/** Where a version of a map differs from another, in the order in which the newer one is read. */
export function planDifferences(t: T, then: Plan, now: Plan): Difference[] {
  const [old, fresh] = [texts(t, then), texts(t, now)]
  const keys = [...fresh.keys(), ...[...old.keys()].filter((k) => !fresh.has(k))]
  const out: Difference[] = keys.flatMap((k) => {
    const [a, b] = [old.get(k), fresh.get(k)]
    const untold = k.endsWith(' mood') && !(a && b) // of a stage that only one of them has
    const [was, is] = [a, b].map((x) => x?.[2] ?? x?.[1] ?? '')
    return was === is || untold ? [] : [{ label: (b ?? a)![0], theirs: a?.[1] ?? '', mine: b?.[1] ?? '' }]
  })
  if ((then.persona_id ?? '') !== (now.persona_id ?? ''))
    out.push({ label: t('maps.persona'), theirs: <PersonaName id={then.persona_id} />, mine: <PersonaName id={now.persona_id} /> })
  if ((then.segment_id ?? '') !== (now.segment_id ?? ''))
    out.push({ label: t('maps.segment'), theirs: <SegmentName id={then.segment_id} />, mine: <SegmentName id={now.segment_id} /> })
  return out
}

function PersonaName({ id = '' }: { id?: string }) {
  return useRead('/api/v1/personas/{id}', { path: { id } }, { enabled: id !== '' }).data?.name ?? id
}

function SegmentName({ id = '' }: { id?: string }) {
  return useNames()[id] ?? id
}
