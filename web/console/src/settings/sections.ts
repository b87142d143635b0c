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
  { id: 'usage', group: 'workspace' },
  { id: 'audit', group: 'workspace', permission: 'audit.read' },
  { id: 'sources', group: 'data', permission: 'keys.write' },
  { id: 'events', group: 'data', permission: 'people.read' },
  { id: 'rejections', group: 'data' },
  { id: 'identity', group: 'data' },
  { id: 'keys', group: 'data', permission: 'keys.write' },
  { id: 'webhooks', group: 'data' },
  { id: 'privacy', group: 'data', permission: 'privacy.write' },
  { id: 'retention', group: 'data', permission: 'reports.read' },
  { id: 'accounts', group: 'sending' },
  { id: 'domains', group: 'sending' },
  { id: 'sending', group: 'rules' },
  { id: 'topics', group: 'rules' },
  { id: 'suppressions', group: 'rules', permission: 'people.read' },
  { id: 'bounces', group: 'rules', permission: 'people.read' },
  { id: 'invoices', group: 'rules' },
]
