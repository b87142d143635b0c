import { QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { queryClient } from '@/api'
import { useT } from '@/i18n'
import { ErrorState, UiProvider } from '@/ui'
import { Router } from './router'
import { start, useSessionState } from './session'

const SignInPage = lazy(() => import('./SignInPage'))
const JoinPage = lazy(() => import('./JoinPage'))

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <Content />
      </UiProvider>
    </QueryClientProvider>
  )
}

function Content() {
  useT()
  const { session, known, error } = useSessionState()
  if (!known) return null
  if (error) return <ErrorState error={error} onRetry={() => void start()} />
  if (location.pathname === '/join')
    return (
      <Suspense fallback={null}>
        <JoinPage signedIn={session !== null} />
      </Suspense>
    )
  return session ? (
    <Router />
  ) : (
    <Suspense fallback={null}>
      <SignInPage />
    </Suspense>
  )
}
