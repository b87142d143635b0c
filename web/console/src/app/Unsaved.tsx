// What an editor says of what is written and not saved.
import type { ReactNode } from 'react'
import { formatClock, formatTime, t as text, useT } from '@/i18n'
import type { Unsaved } from '@/lib/unsaved'
import { Ago, Alert, Button, Group, Stack } from '@/ui'

/** Where the draft lies, as words beside the button that saves; empty while there is none. */
export function draftState(of: Pick<Unsaved, 'keeping' | 'keptAt'>): string {
  if (of.keeping === 'none') return ''
  if (of.keeping !== 'kept') return text(`draft.${of.keeping}`)
  const today = new Date(of.keptAt).toDateString() === new Date().toDateString()
  return text('draft.kept', { time: (today ? formatClock : formatTime)(of.keptAt) })
}

const Plain = ({ children }: { color: string; children: ReactNode }) => <div>{children}</div>

/** Says that what is shown was left over, that there is another draft of one's own, and which colleagues have one. */
export function DraftNotice({ of, bare }: { of: Unsaved /** In a strip that has a colour of its own. */; bare?: boolean }) {
  const t = useT()
  const { offer } = of
  const Part = bare ? Plain : Alert
  if (!of.found && !offer && of.others.length === 0) return null
  return (
    <Stack gap="xs">
      {of.found ? (
        <Part color="accent">
          <Group gap="xs">
            <span>
              {t('saving.restored')} <Ago at={of.found} />
            </span>
            <Button size="compact-sm" variant="filled" onClick={of.goOn}>
              {t('draft.go_on')}
            </Button>
            <Button size="compact-sm" onClick={of.discard}>
              {t('saving.drop')}
            </Button>
          </Group>
        </Part>
      ) : null}
      {offer ? (
        <Part color="warning">
          <Group gap="xs">
            <span>
              {t('draft.elsewhere')} <Ago at={offer.at} />
            </span>
            <Button size="compact-sm" onClick={offer.take}>
              {t('draft.take')}
            </Button>
            <Button size="compact-sm" onClick={offer.refuse}>
              {t('draft.refuse')}
            </Button>
          </Group>
        </Part>
      ) : null}
      {of.others.map((h) => (
        <Part key={`${h.name}.${h.since}`} color="info">
          {t('draft.other', { name: h.name })} <Ago at={h.since} />
        </Part>
      ))}
    </Stack>
  )
}
