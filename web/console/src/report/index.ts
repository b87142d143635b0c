import { ChartColumn } from 'lucide-react'
import type { Area } from '@/lib/route'

/** The reports that have a page of their own, and what they are found by. */
const pages: [key: string, aliases: string][] = [
  ['trend', 'trend by day over time qushi meiri suii hibetsu'],
  ['channels', 'channels email sms push qudao chaneru'],
  ['campaigns', 'campaigns results huodong xiaoguo kyanpeen kouka'],
  ['journeys', 'journeys results lvcheng jaanii'],
  ['journey-nodes', 'journey steps nodes buzhou suteppu'],
  ['scenarios', 'scenarios goals changjing shinario'],
  ['topics', 'topics subscriptions zhuti topikku'],
  ['templates', 'content mails emails neirong kontentsu'],
  ['subjects', 'subject lines biaoti kenmei'],
  ['domains', 'recipient domains deliverability yuming domein'],
  ['links', 'links clicks lianjie dianji rinku kurikku'],
]

export const reports: Area = {
  id: 'reports',
  path: '/reports',
  title: 'nav.reports',
  icon: ChartColumn,
  key: 'r',
  permission: 'reports.read',
  aliases: 'analytics summary baogao baobiao 报表 レポート repooto bunseki 分析',
  screens: [
    { path: '/reports', load: () => import('./ReportsPage') },
    { path: '/reports/saved/$id', load: () => import('./SavedReportPage') },
    { path: '/reports/$key', load: () => import('./ReportPage') },
  ],
  actions: [...pages.map(([id, aliases]) => ({ id: `report.${id}`, title: `report.title.${id}`, aliases, to: `/reports/${id}` }))],
  things: [{ list: '/api/v1/saved-reports', title: 'report.saved', path: '/reports/saved', whole: true }],
}
