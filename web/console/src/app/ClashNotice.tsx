import { type ReactNode, useEffect, useRef } from 'react'
import { useT } from '@/i18n'
import type { Clash } from '@/lib/clash'
import { Alert, Button, Group, Stack } from '@/ui'
import css from './ClashNotice.module.css'

export interface Difference {
  label: string
  theirs: ReactNode
  mine: ReactNode
}

/** Stands above a form whose save somebody was faster with: who, both versions where they differ, and the choice. */
export function ClashNotice<T>({
  of: { by, theirs },
  differences,
  onTheirs,
  onMine,
}: {
  of: Clash<T>
  differences: Difference[]
  onTheirs: (theirs: T) => void
  onMine: (theirs: T) => void
}) {
  const t = useT()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'center' }) // the button that saves may stand far below
  }, [])
  return (
    <Alert ref={box} color="warning" role="alert" title={by ? t('saving.conflict_by', { name: by }) : t('saving.conflict')}>
      <Stack gap="sm">
        <Both differences={differences} theirs={t('saving.theirs')} mine={t('saving.mine')} />
        <Group gap="xs">
          <Button onClick={() => onTheirs(theirs)}>{t('journeys.conflict_reload')}</Button>
          <Button onClick={() => onMine(theirs)}>{t('journeys.conflict_overwrite')}</Button>
        </Group>
      </Stack>
    </Alert>
  )
}

/** Two versions side by side where they differ. */
export function Both({ differences, theirs, mine }: { differences: Difference[]; theirs: string; mine: string }) {
  const t = useT()
  if (differences.length === 0) return t('saving.same')
  return (
    <table className={css.both}>
      <thead>
        <tr>
          <th scope="col">
            <span className={css.away}>{t('field.what')}</span>
          </th>
          <th scope="col">{theirs}</th>
          <th scope="col">{mine}</th>
        </tr>
      </thead>
      <tbody>
        {differences.map((d) => (
          <tr key={d.label}>
            <th scope="row">{d.label}</th>
            <td data-side={theirs}>{d.theirs || '–'}</td>
            <td data-side={mine}>{d.mine || '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
