import { ListTodo } from 'lucide-react'
import type { Area } from '@/lib/route'

export const tasks: Area = {
  id: 'tasks',
  path: '/tasks',
  title: 'nav.tasks',
  icon: ListTodo,
  permission: 'people.read',
  nav: false,
  aliases: 'tasks todo renwu 任务 タスク tasuku',
  screens: [{ path: '/tasks', load: () => import('./TasksPage') }],
  actions: [
    {
      id: 'task.new',
      title: 'tasks.new',
      aliases: 'create task todo xinjian renwu shinki tasuku sakusei',
      permission: 'people.write',
      to: '/tasks?new=yes',
    },
  ],
}
