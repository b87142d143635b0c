import { Settings } from 'lucide-react'
import type { Area } from '@/lib/route'

export interface Section {
  id: string
  /** Heading below which it stands. */
  group: 'workspace' | 'data' | 'sending' | 'rules'
  /** Hidden from people without it. */
  permission?: string
}

/** Sections of the settings, in order; each is a screen at /settings/<id>. */
export const sections: Section[] = [
  { id: 'workspace', group: 'workspace' },
  { id: 'members', group: 'workspace', permission: 'staff.read' },
  { id: 'me', group: 'workspace' },
  { id: 'audit', group: 'workspace', permission: 'audit.read' },
  { id: 'sources', group: 'data', permission: 'keys.write' },
  { id: 'rejections', group: 'data' },
  { id: 'keys', group: 'data', permission: 'keys.write' },
  { id: 'accounts', group: 'sending' },
  { id: 'sending', group: 'rules' },
]

export const settings: Area = {
  id: 'settings',
  path: '/settings',
  title: 'nav.settings',
  icon: Settings,
  foot: true,
  key: ',',
  permission: 'settings.read',
  aliases: 'shezhi settei 设置 設定',
  screens: [
    { path: '/settings', load: () => import('./WorkspaceSection') },
    { path: '/settings/workspace', load: () => import('./WorkspaceSection') },
    { path: '/settings/members', load: () => import('./MembersSection') },
    { path: '/settings/me', load: () => import('./MeSection') },
    { path: '/settings/audit', load: () => import('./AuditSection') },
    { path: '/settings/sources', load: () => import('./SourcesSection') },
    { path: '/settings/rejections', load: () => import('./RejectionsSection') },
    { path: '/settings/keys', load: () => import('./KeysSection') },
    { path: '/settings/accounts', load: () => import('./AccountsSection') },
    { path: '/settings/sending', load: () => import('./SendingSection') },
  ],
  actions: [
    { id: 'settings.members', title: 'settings.section.members', aliases: 'invite colleague role staff', to: '/settings/members' },
    { id: 'settings.me', title: 'settings.section.me', aliases: 'password sessions', to: '/settings/me' },
    { id: 'settings.audit', title: 'settings.section.audit', aliases: 'who log', permission: 'audit.read', to: '/settings/audit' },
    { id: 'settings.sources', title: 'settings.section.sources', aliases: 'write key snippet', to: '/settings/sources' },
    { id: 'settings.accounts', title: 'settings.section.accounts', aliases: 'smtp', to: '/settings/accounts' },
    { id: 'settings.sending', title: 'settings.section.sending', aliases: 'caps quiet hours stop', to: '/settings/sending' },
    { id: 'settings.keys', title: 'settings.section.keys', aliases: 'api token', to: '/settings/keys' },
  ],
}
