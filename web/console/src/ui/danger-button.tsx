import { Button, type ButtonProps } from '@mantine/core'
import type { ComponentPropsWithoutRef } from 'react'

/**
 * The button of what cannot be taken back. Red is kept for that, in menus too (`<Menu.Item color="danger">`), and it always asks first: with
 * `confirm({ ..., danger: true })`, whose button is red again. What can be undone, restored or done anew is a plain Button, even if it asks.
 */
export const DangerButton = (props: ButtonProps & Omit<ComponentPropsWithoutRef<'button'>, 'color' | 'style'>) => (
  <Button color="danger" variant="light" {...props} />
)
