import { Button, type ButtonProps, Menu, UnstyledButton } from '@mantine/core'
import { Link as RouterLink } from '@tanstack/react-router'
import type { ComponentPropsWithoutRef, ReactNode } from 'react'

type LinkProps = Omit<ComponentPropsWithoutRef<'a'>, 'href'> & { to: string; children?: ReactNode }

/** A link inside the console. Hovering loads what it leads to. */
export function Link({ to, ...rest }: LinkProps) {
  return <RouterLink to={to as never} preload="intent" {...(rest as object)} />
}

/** A button that leads somewhere. */
export function LinkButton({ to, ...rest }: ButtonProps & { to: string; children?: ReactNode }) {
  return <Button component={RouterLink} {...({ to, preload: 'intent', ...rest } as object)} />
}

/** An item of a menu that leads somewhere. */
export function MenuLink({ to, ...rest }: { to: string; leftSection?: ReactNode; children?: ReactNode }) {
  return <Menu.Item component={RouterLink} {...({ to, preload: 'intent', ...rest } as object)} />
}

/** A whole card or row that leads somewhere. */
export function LinkBox({ to, ...rest }: { to: string; className?: string; children?: ReactNode; 'aria-label'?: string }) {
  return <UnstyledButton component={RouterLink} {...({ to, preload: 'intent', ...rest } as object)} />
}
