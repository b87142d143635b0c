import { Bell as BellIcon } from 'lucide-react'
import { formatNumber, useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { IconButton, Indicator, Menu } from '@/ui'
import type { Notice } from './attention'

/** What waits for the reader, behind a bell that counts it. */
export function Bell({ notices }: { notices: Notice[] }) {
  const t = useT()
  const go = useGo()
  const count = notices.length
  return (
    <Menu position="bottom-start" width={320}>
      <Indicator disabled={count === 0} label={formatNumber(count)} size={16} offset={5} color={notices[0]?.urgent ? 'danger' : 'accent'}>
        <Menu.Target>
          <IconButton label={count ? t('attention.bell', { count, n: formatNumber(count) }) : t('attention.none')}>
            <BellIcon size={18} />
          </IconButton>
        </Menu.Target>
      </Indicator>
      <Menu.Dropdown>
        <Menu.Label>{count ? t('attention.title') : t('attention.none')}</Menu.Label>
        {notices.map((n) => (
          <Menu.Item key={n.id} color={n.urgent ? 'danger' : undefined} style={{ whiteSpace: 'normal' }} onClick={() => go(n.to)}>
            {n.text}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
