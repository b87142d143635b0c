import { Modal as MantineModal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useT } from '@/i18n'

/** A window over the page. With a title it has a header; without one its content reaches the edges. */
export function Modal({
  title,
  label,
  wide,
  onClose,
  children,
}: {
  title?: string
  label?: string
  wide?: boolean
  onClose: () => void
  children: ReactNode
}) {
  const t = useT()
  return (
    <MantineModal
      opened
      onClose={onClose}
      title={title}
      aria-label={label}
      withCloseButton={title !== undefined}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={wide ? 'xl' : 'lg'}
      padding={title ? 'lg' : 0}
      yOffset="12vh"
      centered={title !== undefined}
      styles={{ title: { fontWeight: 600, fontSize: 16 } }}
    >
      {children}
    </MantineModal>
  )
}
