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
  { id: 'events', group: 'data', permission: 'people.read' },
  { id: 'rejections', group: 'data' },
  { id: 'keys', group: 'data', permission: 'keys.write' },
  { id: 'webhooks', group: 'data' },
  { id: 'privacy', group: 'data', permission: 'privacy.write' },
  { id: 'accounts', group: 'sending' },
  { id: 'domains', group: 'sending' },
  { id: 'sending', group: 'rules' },
  { id: 'topics', group: 'rules' },
  { id: 'suppressions', group: 'rules', permission: 'people.read' },
  { id: 'bounces', group: 'rules', permission: 'people.read' },
  { id: 'invoices', group: 'rules' },
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
    { path: '/settings/privacy', load: () => import('./PrivacySection') },
    { path: '/settings/sources', load: () => import('./SourcesSection') },
    { path: '/settings/sources/$id', load: () => import('./SourcePage') },
    { path: '/settings/events', load: () => import('./EventsSection') },
    { path: '/settings/rejections', load: () => import('./RejectionsSection') },
    { path: '/settings/keys', load: () => import('./KeysSection') },
    { path: '/settings/webhooks', load: () => import('./WebhooksSection') },
    { path: '/settings/webhooks/$id', load: () => import('./WebhookPage') },
    { path: '/settings/accounts', load: () => import('./AccountsSection') },
    { path: '/settings/accounts/$id', load: () => import('./AccountPage') },
    { path: '/settings/domains', load: () => import('./DomainsSection') },
    { path: '/settings/domains/$id', load: () => import('./DomainPage') },
    { path: '/settings/sending', load: () => import('./SendingSection') },
    { path: '/settings/topics', load: () => import('./TopicsSection') },
    { path: '/settings/suppressions', load: () => import('./SuppressionsSection') },
    { path: '/settings/bounces', load: () => import('./BouncesSection') },
    { path: '/settings/invoices', load: () => import('./InvoicesSection') },
  ],
  actions: [
    { id: 'settings.members', title: 'settings.section.members', aliases: 'invite colleague role staff', to: '/settings/members' },
    { id: 'settings.me', title: 'settings.section.me', aliases: 'password sessions', to: '/settings/me' },
    { id: 'settings.audit', title: 'settings.section.audit', aliases: 'who log', permission: 'audit.read', to: '/settings/audit' },
    {
      id: 'settings.privacy',
      title: 'settings.section.privacy',
      aliases: 'gdpr erase forget export',
      permission: 'privacy.write',
      to: '/settings/privacy',
    },
    { id: 'settings.sources', title: 'settings.section.sources', aliases: 'write key snippet', to: '/settings/sources' },
    {
      id: 'settings.events',
      title: 'settings.section.events',
      aliases: 'debugger live stream incoming',
      permission: 'people.read',
      to: '/settings/events',
    },
    { id: 'settings.accounts', title: 'settings.section.accounts', aliases: 'smtp', to: '/settings/accounts' },
    { id: 'settings.domains', title: 'settings.section.domains', aliases: 'spf dkim dmarc dns', to: '/settings/domains' },
    { id: 'settings.topics', title: 'settings.section.topics', aliases: 'opt-in subscription', to: '/settings/topics' },
    {
      id: 'settings.suppressions',
      title: 'settings.section.suppressions',
      aliases: 'blocklist unsubscribe bounce',
      permission: 'people.read',
      to: '/settings/suppressions',
    },
    { id: 'settings.invoices', title: 'settings.section.invoices', aliases: 'dunning', to: '/settings/invoices' },
    { id: 'settings.sending', title: 'settings.section.sending', aliases: 'caps quiet hours stop', to: '/settings/sending' },
    { id: 'settings.keys', title: 'settings.section.keys', aliases: 'api token', to: '/settings/keys' },
  ],
}
