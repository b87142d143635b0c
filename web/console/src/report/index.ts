import { ChartColumn } from 'lucide-react'
import type { Area } from '@/lib/route'

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
}
