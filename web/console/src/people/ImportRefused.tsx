import { type Schemas, useRead } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { Card, Group, Link, LinkButton, Loaded, Note, personName, Stack } from '@/ui'
import css from './Import.module.css'

const shown = 5

/** Pairs of people whom an import would have joined and identity did not: how many, the weightiest of them, and the way to decide. */
export function ImportRefused({ job, count }: { job: string; count: number }) {
  const t = useT()
  const open = useRead('/api/v1/people-suggestions', { query: { source: job, status: 'open', limit: shown } })
  if (count === 0) return null
  const all = `/people/duplicates?source=${job}`
  return (
    <Card title={t('imports.refused', { count, n: formatNumber(count) })} help={t('imports.refused_help')}>
      <Stack gap="sm">
        <Loaded of={open}>
          {({ items }) =>
            items.length === 0 ? (
              <Note>{t('imports.refused_decided')}</Note>
            ) : (
              <ul className={css.columns}>
                {items.map((s) => (
                  <li key={s.id} className={css.pairRow}>
                    <span>
                      <Who of={s.one} /> · <Who of={s.two} />
                    </span>
                    <Note>
                      {s.evidence
                        .map((e) =>
                          [word('suggestion', e.reason), e.kind ? word('identifier', e.kind) : '', e.value ?? ''].filter(Boolean).join(' '),
                        )
                        .join(' · ')}
                    </Note>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
        <Group>
          <LinkButton to={all}>{t('imports.refused_all')}</LinkButton>
        </Group>
      </Stack>
    </Card>
  )
}

/** Two who share an address may have the same name on screen: their user ids tell them apart. */
function Who({ of: p }: { of: Schemas['Person'] }) {
  const user = p.identifiers.find((i) => i.kind === 'user_id')?.value
  return (
    <>
      <Link to={`/people/${p.id}`}>{personName(p)}</Link>
      {user && user !== personName(p) ? <Note> ({user})</Note> : null}
    </>
  )
}
