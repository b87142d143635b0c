import type { ReactNode } from 'react'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { type Acts, SettingsPage } from '@/ui'
import { sections } from './sections'

interface Props {
  id: string
  /** Name of the one thing of the section that the page is about. */
  thing?: string
  status?: ReactNode
  more?: Acts
  actions?: ReactNode
  children: ReactNode
}

/** The frame of one section of the settings; sections that the reader may not see are left out of its navigation. */
export function SettingsSection({ id, thing, status, more, actions, children }: Props) {
  const t = useT()
  const can = useCan()
  const section = t(`settings.section.${id}`)
  return (
    <SettingsPage
      title={thing ?? section}
      crumbs={thing === undefined ? undefined : [{ to: `/settings/${id}`, label: section }]}
      status={status}
      lead={thing === undefined ? t(`settings.lead.${id}`) : undefined}
      more={more}
      actions={actions}
      current={id}
      sections={sections
        .filter((s) => can(s.permission))
        .map((s) => ({ id: s.id, to: `/settings/${s.id}`, label: t(`settings.section.${s.id}`), group: t(`settings.group.${s.group}`) }))}
    >
      {children}
    </SettingsPage>
  )
}
