import {
  ArrowLeftFromLine,
  ArrowRightToLine,
  CalendarClock,
  Clock,
  Dices,
  Ear,
  FlagTriangleRight,
  FlaskConical,
  GitFork,
  ListMinus,
  ListPlus,
  ListTodo,
  LogOut,
  Mail,
  Percent,
  Signpost,
  SquarePen,
  Sunrise,
  Webhook,
  Workflow,
  Zap,
} from 'lucide-react'
import { entrance } from './graph'

type Look = [icon: typeof Clock, tone?: 'accent' | 'success' | 'warning' | 'info']

const looks: Record<string, Look> = {
  [entrance]: [Zap, 'accent'],
  wait: [Clock],
  wait_until: [Sunrise],
  wait_for_date: [CalendarClock],
  wait_for: [Ear],
  branch: [GitFork, 'warning'],
  switch: [Signpost, 'warning'],
  split: [Percent, 'warning'],
  cohort: [Dices, 'warning'],
  ab_test: [FlaskConical, 'warning'],
  send: [Mail, 'info'],
  set_trait: [SquarePen],
  add_to_list: [ListPlus],
  remove_from_list: [ListMinus],
  webhook: [Webhook, 'info'],
  create_task: [ListTodo, 'info'],
  enter_journey: [ArrowRightToLine],
  leave_journey: [ArrowLeftFromLine],
  goal: [FlagTriangleRight, 'success'],
  exit: [LogOut],
}

export const lookOf = (kind: string): Look => looks[kind] ?? [Workflow]
