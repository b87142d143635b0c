// Turns the list of areas into routes. Each screen is a file of its own, loaded when a link to it is hovered or opened.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, RouterProvider, useRouter } from '@tanstack/react-router'
import { LockKeyhole } from 'lucide-react'
import { useT } from '@/i18n'
import type { ReactNode } from 'react'
import type { Screen } from '@/lib/route'
import { dismiss, EmptyState, ErrorState, LinkButton, LoadingState } from '@/ui'
import { areas } from './areas'
import { Frame } from './Frame'
import { useCan } from './session'

function NotFound() {
  const t = useT()
  return <EmptyState whole title={t('error.no_page')} action={<LinkButton to="/">{t('nav.home')}</LinkButton>} />
}

function Failed({ error }: { error: unknown }) {
  const router = useRouter()
  return <ErrorState error={error} onRetry={() => void router.invalidate()} />
}

function NotForYou() {
  const t = useT()
  return <EmptyState whole icon={LockKeyhole} title={t('state.forbidden')} text={t('state.forbidden_help')} />
}

/** The screen, for whoever may use it. */
function guarded({ load, permission }: Screen) {
  const Page = lazyRouteComponent(load as () => Promise<{ default: () => ReactNode }>)
  if (!permission) return Page
  const Guarded = () => (useCan()(permission) ? <Page /> : <NotForYou />)
  return Object.assign(Guarded, { preload: Page.preload })
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: Failed })
const routes = areas
  .flatMap((a) => a.screens)
  .map((s) => createRoute({ getParentRoute: () => root, path: s.path, component: guarded(s), staticData: { screen: s } }))

const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: false,
  defaultPendingComponent: () => <LoadingState />,
  defaultErrorComponent: Failed,
  scrollRestoration: true,
  // Search parameters are plain text: /people?q=aya, not JSON.
  parseSearch: (s) => Object.fromEntries(new URLSearchParams(s)),
  stringifySearch: (s) => {
    const text = new URLSearchParams(Object.entries(s).filter(([, v]) => v !== undefined) as [string, string][]).toString()
    return text ? `?${text}` : ''
  },
})

router.subscribe('onBeforeLoad', (to) => to.pathChanged && dismiss())

export const Router = () => <RouterProvider router={router} />
