import { Settings } from 'lucide-react'
import type { Area } from '@/lib/route'

/** Sections of the settings, in order; each is a screen at /settings/<id>. */
export const sections = ['sources', 'accounts', 'sending', 'keys', 'rejections'] as const

export const settings: Area = {
  id: 'settings',
  path: '/settings',
  title: 'nav.settings',
  icon: Settings,
  key: ',',
  permission: 'settings.read',
  aliases: 'shezhi settei 设置 設定',
  screens: [
    { path: '/settings', load: () => import('./SourcesSection') },
    { path: '/settings/sources', load: () => import('./SourcesSection') },
    { path: '/settings/accounts', load: () => import('./AccountsSection') },
    { path: '/settings/sending', load: () => import('./SendingSection') },
    { path: '/settings/keys', load: () => import('./KeysSection') },
    { path: '/settings/rejections', load: () => import('./RejectionsSection') },
  ],
  actions: [
    { id: 'settings.sources', title: 'settings.sources', aliases: 'write key snippet', to: '/settings/sources' },
    { id: 'settings.accounts', title: 'settings.accounts', aliases: 'smtp', to: '/settings/accounts' },
    { id: 'settings.sending', title: 'settings.rules', aliases: 'caps quiet hours stop', to: '/settings/sending' },
    { id: 'settings.keys', title: 'settings.keys', aliases: 'api token', to: '/settings/keys' },
  ],
}
