// THE list: every area of the console. A new noun adds its line here.
import { campaigns } from '@/campaigns'
import { content } from '@/content'
import { home } from '@/home'
import { jobs } from '@/jobs'
import { journeys } from '@/journeys'
import type { Area } from '@/lib/route'
import { lists } from '@/lists'
import { mailbox } from '@/mailbox'
import { maps } from '@/maps'
import { people } from '@/people'
import { personas } from '@/personas'
import { reports } from '@/report'
import { segments } from '@/segments'
import { settings } from '@/settings'
import { standing } from '@/standing'
import { tasks } from '@/tasks'

export const areas: Area[] = [
  home,
  people,
  segments,
  content,
  campaigns,
  journeys,
  reports,
  lists,
  personas,
  standing,
  maps,
  tasks,
  jobs,
  settings,
  mailbox,
]
