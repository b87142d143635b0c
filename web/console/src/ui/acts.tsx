// What can be done with what a page is about, besides the main thing: buttons where there is room, one menu on a phone.
import { Button, Menu } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Ellipsis } from 'lucide-react'
import type { ReactNode } from 'react'
import { useT } from '@/i18n'
import { DangerButton } from './danger-button'
import { IconButton } from './icon-button'
import { LinkButton, MenuLink } from './link'

export interface Act {
  label: string
  icon?: ReactNode
  /** What it does, the page that it leads to, or the file that it brings. */
  run?: () => void
  to?: string
  file?: string
  busy?: boolean
  disabled?: boolean
  /** It cannot be taken back; `run` asks first. */
  red?: boolean
  /** In the menu also where there is room. */
  rare?: boolean
}

/** Acts of a page; those that are false are none. */
export type Acts = (Act | false | null | undefined)[]

const isAct = (a: Acts[number]): a is Act => Boolean(a)

export function MoreActs({ acts }: { acts: Acts }) {
  const t = useT()
  const narrow = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false })
  const all = acts.filter(isAct)
  const folded = all.filter((a) => narrow || a.rare)
  const shown = all.filter((a) => !folded.includes(a))
  return (
    <>
      {folded.length > 0 ? <ActMenu label={t('action.more')} acts={folded} /> : null}
      {shown.map((a) => (
        <ActButton key={a.label} act={a} />
      ))}
    </>
  )
}

/** What can be done with one thing of a list, or of a card: always one menu. */
export function ThingActs({ name, acts }: { name: string; acts: Acts }) {
  const t = useT()
  return <ActMenu label={t('text.pair', { label: t('action.more'), value: name })} acts={acts.filter(isAct)} />
}

function ActMenu({ label, acts }: { label: string; acts: Act[] }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <IconButton label={label} variant="default" data-more>
          <Ellipsis size={17} />
        </IconButton>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.map((a) => (
          <ActItem key={a.label} act={a} />
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function ActItem({ act: { label, icon, run, to, file, busy, disabled, red } }: { act: Act }) {
  if (to)
    return (
      <MenuLink to={to} leftSection={icon}>
        {label}
      </MenuLink>
    )
  if (file)
    return (
      <Menu.Item component="a" href={file} download leftSection={icon}>
        {label}
      </Menu.Item>
    )
  return (
    <Menu.Item color={red ? 'danger' : undefined} disabled={disabled || busy} onClick={run} leftSection={icon}>
      {label}
    </Menu.Item>
  )
}

function ActButton({ act: { label, icon, run, to, file, busy, disabled, red } }: { act: Act }) {
  if (to)
    return (
      <LinkButton to={to} leftSection={icon}>
        {label}
      </LinkButton>
    )
  if (file)
    return (
      <Button component="a" href={file} download leftSection={icon}>
        {label}
      </Button>
    )
  const Of = red ? DangerButton : Button
  return (
    <Of loading={busy} disabled={disabled} onClick={run} leftSection={icon}>
      {label}
    </Of>
  )
}
