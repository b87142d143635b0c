import type { ReactNode } from 'react'
import { useT } from '@/i18n'
import { SettingsPage } from '@/ui'
import { sections } from '.'

/** The frame of one section of the settings. */
export function SettingsSection({ id, children }: { id: (typeof sections)[number]; children: ReactNode }) {
  const t = useT()
  return (
    <SettingsPage
      title={t('nav.settings')}
      lead={t('settings.lead')}
      current={id}
      sections={sections.map((s) => ({ id: s, to: `/settings/${s}`, label: t(`settings.section.${s}`) }))}
    >
      {children}
    </SettingsPage>
  )
}
