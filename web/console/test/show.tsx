import { QueryClientProvider } from '@tanstack/react-query'
// oxlint-disable-next-line no-restricted-imports -- links need a router, and the real one would bring every screen
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { queryClient } from '@/api'
import { start } from '@/app/session'
import { UiProvider } from '@/ui'

/** Draws a page or a part of one at the address /x_1, for whoever the session of the test's server says is signed in. */
export async function show(Page: () => ReactNode) {
  await start()
  const root = createRootRoute()
  const route = createRoute({ getParentRoute: () => root, path: '/$id', component: Page })
  const router = createRouter({ routeTree: root.addChildren([route]), history: createMemoryHistory({ initialEntries: ['/x_1'] }) })
  const drawn = render(
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <RouterProvider router={router as never} />
      </UiProvider>
    </QueryClientProvider>,
  )
  return { ...drawn, router }
}
