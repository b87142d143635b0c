import { ActionIcon, type ActionIconProps, Tooltip } from '@mantine/core'
import type { ComponentPropsWithoutRef, ReactNode } from 'react'

type Props = ActionIconProps & Omit<ComponentPropsWithoutRef<'button'>, 'color' | 'style'> & { label: string; children: ReactNode }

/** A button with an icon only. The label is its name and its tooltip. */
export function IconButton({ label, children, ...rest }: Props) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} {...rest}>
        {children}
      </ActionIcon>
    </Tooltip>
  )
}
