// THE list: every area of the console. A new noun adds its line here.
import type { Area } from '@/lib/route'
import { home } from '@/home'
import { people } from '@/people'

export const areas: Area[] = [home, people]
