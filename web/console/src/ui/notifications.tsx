import '@mantine/notifications/styles.layer.css'
import { Notifications } from '@mantine/notifications'

/** Where toasts appear; loaded after the first screen is drawn. */
export default function Toasts() {
  return <Notifications position="bottom-center" limit={3} zIndex={400} />
}
