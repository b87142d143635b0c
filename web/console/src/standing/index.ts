import { TrendingUp } from 'lucide-react'
import type { Area } from '@/lib/route'

export const standing: Area = {
  id: 'standing',
  path: '/standing',
  title: 'standing.title',
  icon: TrendingUp,
  permission: 'segments.read',
  aliases: 'rfm lifecycle stage churn vip participation shengming zhouqi 生命周期 价值 raifusaikuru kokyaku kachi ライフサイクル 顧客価値',
  nav: false,
  within: 'segments',
  screens: [
    { path: '/standing', load: () => import('./StandingPage') },
    { path: '/standing/scheme', load: () => import('./SchemePage') },
  ],
}
