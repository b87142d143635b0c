// Turns the list of areas into routes. Each screen is a file of its own, loaded when a link to it is hovered or opened.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, RouterProvider, useRouter } from '@tanstack/react-router'
import { useT } from '@/i18n'
import { EmptyState, ErrorState, LinkButton, LoadingState } from '@/ui'
import { areas } from './areas'
import { Frame } from './Frame'

function NotFound() {
  const t = useT()
  return <EmptyState title={t('error.no_page')} action={<LinkButton to="/">{t('nav.home')}</LinkButton>} />
}

function Failed({ error }: { error: unknown }) {
  const router = useRouter()
  return <ErrorState error={error} onRetry={() => void router.invalidate()} />
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: Failed })
const routes = areas
  .flatMap((a) => a.screens)
  .map((s) => createRoute({ getParentRoute: () => root, path: s.path, component: lazyRouteComponent(s.load) }))

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

export const Router = () => <RouterProvider router={router} />
