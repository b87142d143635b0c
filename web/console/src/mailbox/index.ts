import { Mailbox } from 'lucide-react'
import type { Area } from '@/lib/route'

/** The demonstration's mailbox; there is none elsewhere. */
export const mailbox: Area = {
  id: 'mailbox',
  path: '/mailbox',
  title: 'nav.mailbox',
  icon: Mailbox,
  demo: true,
  aliases: 'mail youxiang meerubokkusu 邮箱 メールボックス',
  screens: [{ path: '/mailbox', load: () => import('./MailboxPage') }],
}
