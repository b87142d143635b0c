import { useMediaQuery } from '@mantine/hooks'
import { Notifications } from '@mantine/notifications'
import '@mantine/notifications/styles.layer.css'
import css from './notifications.module.css'

/**
 * Where toasts appear; loaded after the first screen is drawn. On a phone that is above, one upon the other: below are the last row and the button that saves,
 * and several beside each other would reach the buttons of the page.
 */
export default function Toasts() {
  const narrow = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false })
  return (
    <Notifications
      position={narrow ? 'top-center' : 'bottom-center'}
      layout={narrow ? 'stacked' : 'default'}
      className={css.toasts}
      limit={3}
      zIndex={400}
    />
  )
}
