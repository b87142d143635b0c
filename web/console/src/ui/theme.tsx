import { createTheme, type CSSVariablesResolver, MantineProvider, type MantineColorsTuple } from '@mantine/core'
import { lazy, type ReactNode, Suspense, useSyncExternalStore } from 'react'
import { helpFirst } from './base'
import { Confirmations } from './confirm'

const Toasts = lazy(() => import('./notifications'))

// One-way map of our tokens into Mantine: components of ours read tokens, Mantine's read variables that point at them.
const roles = ['accent', 'success', 'warning', 'danger', 'info'] as const

const tuple = (role: string): MantineColorsTuple => {
  const at = (shade: string) => `var(--ui-${role}-${shade})`
  return [at('subtle'), at('subtle'), at('subtle'), at('text'), at('text'), at('solid'), at('solid'), at('solid'), at('text'), at('text')]
}

// The greys that the kit reads by number, from light to dark: of the first in the light, of the second in the dark.
const neutral = (role: string) => `var(--ui-${role})`
const gray = [
  'bg-app',
  'bg-subtle',
  'bg-hover',
  'border-subtle',
  'border-input',
  'border-control',
  'text-muted',
  'text-secondary',
  'text-primary',
  'text-primary',
].map(neutral)
const dark = [
  'text-primary',
  'text-secondary',
  'text-muted',
  'border-control',
  'border-input',
  'bg-hover',
  'bg-subtle',
  'bg-surface',
  'bg-app',
  'bg-app',
].map(neutral)

const theme = createTheme({
  colors: {
    ...Object.fromEntries(roles.map((r) => [r, tuple(r)])),
    gray: gray as unknown as MantineColorsTuple,
    dark: dark as unknown as MantineColorsTuple,
  },
  primaryColor: 'accent',
  fontFamily: 'var(--ui-font)',
  fontFamilyMonospace: 'var(--ui-mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.45', sm: 'var(--ui-line)', md: 'var(--ui-line)', lg: 'var(--ui-line)', xl: '1.4' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '4px', sm: '6px', md: '10px', lg: '16px', xl: '24px' },
  defaultRadius: 'sm',
  headings: {
    fontFamily: 'var(--ui-font)',
    fontWeight: '600',
    sizes: { h1: { fontSize: '24px' }, h2: { fontSize: '16px' }, h3: { fontSize: '14px' } },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm', variant: 'default' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'lg' } },
    TextInput: { defaultProps: { size: 'sm' } },
    // Help stands below: fields beside each other are on one line whether or not they have some. Of several choices it is read before them.
    InputWrapper: { defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] } },
    RadioGroup: { defaultProps: { inputWrapperOrder: helpFirst } },
    CheckboxGroup: { defaultProps: { inputWrapperOrder: helpFirst } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: 'lg',
        overlayProps: { color: 'var(--ui-scrim)', backgroundOpacity: 1 },
        transitionProps: { duration: 160 },
      },
    },
    Drawer: {
      defaultProps: {
        position: 'right',
        size: 520,
        overlayProps: { color: 'var(--ui-scrim)', backgroundOpacity: 1 },
        transitionProps: { duration: 180 },
      },
    },
    // Of thousands of names to choose from, a window draws so many; typing finds the others.
    Select: { defaultProps: { limit: 200 } },
    MultiSelect: { defaultProps: { limit: 200 } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-end', transitionProps: { duration: 100 } } },
    Tabs: { defaultProps: { keepMounted: false } },
    Skeleton: { defaultProps: { radius: 'sm' } },
    // A box of 14 pixels with the corners of a button would look like the circle of one choice among several.
    Checkbox: { defaultProps: { radius: 'xs' } },
    Badge: { defaultProps: { variant: 'light', size: 'md', tt: 'none', fw: 500 } },
  },
})

const variables = (): Record<string, string> => {
  const out: Record<string, string> = {
    '--mantine-color-body': 'var(--ui-bg-surface)',
    '--mantine-color-text': 'var(--ui-text-primary)',
    '--mantine-color-bright': 'var(--ui-text-primary)',
    '--mantine-color-dimmed': 'var(--ui-text-muted)',
    '--mantine-color-placeholder': 'var(--ui-text-muted)',
    '--mantine-color-anchor': 'var(--ui-accent-text)',
    '--mantine-color-error': 'var(--ui-danger-text)',
    '--mantine-color-default': 'var(--ui-bg-surface)',
    '--mantine-color-default-hover': 'var(--ui-bg-subtle)',
    '--mantine-color-default-color': 'var(--ui-text-primary)',
    '--mantine-color-default-border': 'var(--ui-border-input)',
    '--mantine-color-disabled': 'var(--ui-bg-subtle)',
    '--mantine-color-disabled-color': 'var(--ui-text-muted)',
    '--mantine-color-disabled-border': 'var(--ui-border-subtle)',
    '--mantine-color-gray-light': 'var(--ui-bg-subtle)',
    '--mantine-color-gray-light-hover': 'var(--ui-bg-hover)',
    '--mantine-color-gray-light-color': 'var(--ui-text-secondary)',
    '--mantine-color-gray-text': 'var(--ui-text-secondary)',
    '--mantine-shadow-md': 'var(--ui-shadow)',
    '--mantine-shadow-xl': 'var(--ui-shadow)',
  }
  for (const r of roles) {
    const name = `--mantine-color-${r}`
    out[`${name}-filled`] = `var(--ui-${r}-solid)`
    out[`${name}-filled-hover`] = r === 'accent' || r === 'danger' ? `var(--ui-${r}-hover)` : `var(--ui-${r}-solid)`
    out[`${name}-light`] = `var(--ui-${r}-subtle)`
    out[`${name}-light-hover`] = r === 'accent' ? 'var(--ui-accent-subtle-hover)' : `var(--ui-${r}-subtle)`
    out[`${name}-light-color`] = `var(--ui-${r}-text)`
    out[`${name}-outline`] = `var(--ui-${r}-text)`
    out[`${name}-outline-hover`] = `var(--ui-${r}-subtle)`
    out[`${name}-text`] = `var(--ui-${r}-text)`
  }
  for (const end of ['filled', 'filled-hover', 'light', 'light-hover', 'light-color'])
    out[`--mantine-primary-color-${end}`] = `var(--mantine-color-accent-${end})`
  return out
}

const resolver: CSSVariablesResolver = () => ({ variables: {}, light: variables(), dark: variables() })

const nonce = () => document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? ''

// The scroll lock of windows and sheets writes a style element of its own and looks for the nonce under this name.
Object.assign(globalThis, { __webpack_nonce__: nonce() })

/** Everything the components of ui/ need around them. */
export function UiProvider({ children }: { children: ReactNode }) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto" getStyleNonce={nonce}>
      {children}
      <Suspense fallback={null}>
        <Toasts />
      </Suspense>
      <Confirmations />
    </MantineProvider>
  )
}

export { useMantineColorScheme as useColorScheme } from '@mantine/core'

const root = document.documentElement
const shown = () => (root.getAttribute('data-mantine-color-scheme') === 'dark' ? 'dark' : 'light')
const onShown = (changed: () => void) => {
  const watch = new MutationObserver(changed)
  watch.observe(root, { attributeFilter: ['data-mantine-color-scheme'] })
  return () => watch.disconnect()
}

/** The scheme that the screen is in now, for what cannot read it from the stylesheet. Where the reader has chosen none it follows their device. */
export const useShownScheme = (): 'light' | 'dark' => useSyncExternalStore(onShown, shown)
