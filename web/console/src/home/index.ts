import { House } from 'lucide-react'
import type { Area } from '@/lib/route'

export const home: Area = {
  id: 'home',
  path: '/',
  title: 'nav.home',
  icon: House,
  key: 'h',
  aliases: 'overview dashboard shouye 首页 ホーム houmu',
  screens: [{ path: '/', load: () => import('./HomePage') }],
}
