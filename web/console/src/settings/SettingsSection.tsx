import type { ReactNode } from 'react'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { SettingsPage } from '@/ui'
import { sections } from './sections'

/** The frame of one section of the settings; sections that the reader may not see are left out of its navigation. */
export function SettingsSection({ id, actions, children }: { id: string; actions?: ReactNode; children: ReactNode }) {
  const t = useT()
  const can = useCan()
  return (
    <SettingsPage
      title={t(`settings.section.${id}`)}
      lead={t(`settings.lead.${id}`)}
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
