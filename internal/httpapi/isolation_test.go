package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// foreign is how another workspace's key asks an operation for what is the business's. $names are the business's ids.
type foreign struct {
	path string // as in the document if empty, with {id} replaced by id
	id   string
	body string
	want int // 404 if zero
	has  string
}

// foreignCases has a case for every operation of the document that needs a caller; a new operation without one fails the test.
var foreignCases = map[string]foreign{
	"GET /accounts":                    {want: 200, has: `"items":[]`},
	"POST /accounts":                   {want: 201, body: `{"kind":"email","name":"mine","from_address":"b@example.com","config":{"host":"b.example"}}`},
	"GET /accounts/{id}":               {id: "$account"},
	"PUT /accounts/{id}":               {id: "$account", body: `{"kind":"email","name":"taken","from_address":"b@example.com","config":{"host":"b.example"}}`},
	"DELETE /accounts/{id}":            {id: "$account"},
	"POST /accounts/{id}/check":        {id: "$account"},
	"GET /accounts/{id}/health":        {id: "$account"},
	"POST /accounts/{id}/resume":       {id: "$account"},
	"GET /accounts/{id}/inbound":       {id: "$account"},
	"PUT /accounts/{id}/inbound":       {id: "$account", body: `{"address":"taken@in.example.com"}`},
	"POST /accounts/{id}/inbound/hook": {id: "$account"},
	"GET /bounces":                     {want: 200, has: `"items":[]`},
	"GET /sending/bounce-policy":       {want: 200, has: `"soft_limit":5`},
	"PUT /sending/bounce-policy":       {want: 200, body: `{"soft_limit":3,"soft_days":7,"block_alert":1,"block_pause":2}`},
	"GET /audit":                       {want: 200, path: "/audit?limit=500"},
	"GET /campaigns":                   {want: 200, has: `"items":[]`},
	"POST /campaigns":                  {want: 201, body: `{"name":"mine","audience":{"include":["$segment"]},"topic":"$topic","template":"$template"}`},
	"GET /campaigns/{id}":              {id: "$campaign"},
	"PUT /campaigns/{id}":              {id: "$draft_campaign", body: `{"name":"taken","audience":{"include":[]}}`},
	"DELETE /campaigns/{id}":           {id: "$draft_campaign"},
	"POST /campaigns/{id}/cancel":      {id: "$campaign"},
	"POST /campaigns/{id}/launch":      {id: "$draft_campaign"},
	"POST /campaigns/{id}/pause":       {id: "$campaign"},
	"POST /campaigns/{id}/resume":      {id: "$campaign"},
	"POST /campaigns/{id}/approve":     {id: "$draft_campaign"},
	"POST /campaigns/{id}/withdraw":    {id: "$draft_campaign"},
	"POST /campaigns/{id}/archive":     {id: "$draft_campaign"},
	"POST /campaigns/{id}/restore":     {id: "$draft_campaign"},
	"POST /campaigns/{id}/copy":        {id: "$campaign", body: `{"name":"taken"}`},
	"POST /campaigns/{id}/resend":      {id: "$campaign", body: `{"name":"taken","segment_name":"taken"}`},
	"GET /campaigns/{id}/people":       {id: "$campaign"},
	"GET /campaigns/{id}/preflight": {
		id: "$campaign",
	},
	"GET /campaigns/{id}/report":            {id: "$campaign"},
	"GET /channels":                         {want: 200, has: `"kind":"email"`},
	"GET /event-names":                      {want: 200, has: `"items":[]`},
	"GET /invoice-plan":                     {want: 200, has: `"days":[-3,1,8,15]`},
	"PUT /invoice-plan":                     {want: 200, body: `{"days":[2],"at":"10:00"}`},
	"GET /invoices":                         {want: 200, has: `"items":[]`},
	"PUT /invoices":                         {body: `{"number":"Z-1","person":"$aya","amount":1,"currency":"JPY","due_on":"2026-12-31"}`},
	"GET /invoices/totals":                  {want: 200, has: `"totals":[]`},
	"GET /invoices/{id}":                    {id: "$invoice"},
	"POST /invoices/{id}/payments":          {id: "$invoice", body: `{"key":"k","amount":5000}`},
	"POST /invoices/{id}/settle":            {id: "$invoice"},
	"POST /invoices/{id}/void":              {id: "$invoice"},
	"GET /journey-nodes":                    {want: 200, has: `"kind":"wait"`},
	"GET /journey-rounds/{id}":              {id: "$round"},
	"POST /journey-rounds/{id}/remove":      {id: "$round"},
	"POST /journey-rounds/{id}/retry":       {id: "$round"},
	"GET /journey-secrets":                  {want: 200, has: `"items":[]`},
	"POST /journey-secrets":                 {want: 201, body: `{"name":"mine","value":"mine"}`},
	"PUT /journey-secrets/{id}":             {id: "$secret", body: `{"name":"taken","value":"taken"}`},
	"DELETE /journey-secrets/{id}":          {id: "$secret"},
	"GET /journeys":                         {want: 200},
	"POST /journeys":                        {want: 201, body: `{"name":"mine","draft":` + strings.ReplaceAll(graph, marker, "My") + `}`},
	"GET /journeys/ready":                   {want: 200, has: `"key":"welcome"`},
	"POST /journeys/ready":                  {want: 200, body: `{"locale":"en"}`},
	"GET /journeys/{id}":                    {id: "$journey"},
	"PUT /journeys/{id}":                    {id: "$journey", body: `{"name":"taken","revision":0,"draft":{"trigger":{},"nodes":[]}}`},
	"POST /journeys/{id}/archive":           {id: "$draft_journey"},
	"POST /journeys/{id}/restore":           {id: "$draft_journey"},
	"POST /journeys/{id}/check":             {id: "$journey"},
	"POST /journeys/{id}/exit-all":          {id: "$journey"},
	"POST /journeys/{id}/pause":             {id: "$journey"},
	"POST /journeys/{id}/entries":           {id: "$api_journey", body: `{"person_id":"$aya","idempotency_key":"k"}`},
	"POST /journeys/{id}/additions":         {id: "$api_journey", body: `{"person_ids":["$aya"],"confirmed_count":1}`},
	"POST /journeys/{id}/additions/preview": {id: "$api_journey", body: `{"set_id":"$segment"}`},
	"GET /journeys/{id}/tasks":              {id: "$api_journey"},
	"GET /journeys/{id}/queue":              {id: "$api_journey"},
	"GET /journeys/{id}/refusals":           {id: "$api_journey"},
	"GET /journeys/{id}/faults":             {id: "$journey"},
	"GET /journeys/{id}/circle":             {id: "$journey"},
	"GET /journeys/{id}/diff":               {id: "$journey", path: "/journeys/$journey/diff?from=1&to=0"},
	"GET /journeys/{id}/stats":              {id: "$journey"},
	"POST /journeys/{id}/migrations":        {id: "$journey", body: `{"fate":"exit"}`},
	"POST /journeys/{id}/simulations":       {id: "$journey", body: `{"days":7}`},
	"POST /journeys/{id}/trial":             {id: "$journey", body: `{"person_id":"$aya","trigger":{"name":"Zanzibar Cart"}}`},
	"GET /journey-simulations/{id}":         {id: "$simulation"},
	"POST /journey-simulations/{id}/cancel": {id: "$simulation"},
	"GET /journey-trouble":                  {want: 200, has: `"parked":0`},
	"GET /journey-trouble/rounds":           {want: 200, has: `"items":[]`},
	"POST /journey-tasks/{id}/cancel":       {id: "$task"},
	"GET /journeys/{id}/people":             {id: "$journey", path: "/journeys/$journey/people?metric=entered"},
	"POST /journeys/{id}/publish":           {id: "$draft_journey"},
	"GET /journeys/{id}/report":             {id: "$journey"},
	"POST /journeys/{id}/resume":            {id: "$journey"},
	"POST /journeys/{id}/retry":             {id: "$journey"},
	"POST /journeys/{id}/stop":              {id: "$journey"},
	"GET /journeys/{id}/tests":              {id: "$journey"},
	"GET /journeys/{id}/versions":           {id: "$journey"},
	"GET /keys":                             {want: 200, path: "/keys?limit=500"},
	"POST /keys":                            {want: 201, body: `{"name":"mine","scopes":["people.read"]}`},
	"GET /keys/{id}":                        {id: "$key"},
	"DELETE /keys/{id}":                     {id: "$key"},
	"GET /live":                             {want: 503}, // off here; TestLive has two workspaces
	"GET /lists":                            {want: 200, has: `"items":[]`},
	"POST /lists":                           {want: 201, body: `{"name":"mine"}`},
	"GET /lists/{id}":                       {id: "$list"},
	"PATCH /lists/{id}":                     {id: "$list", body: `{"name":"taken"}`},
	"DELETE /lists/{id}":                    {id: "$list"},
	"GET /lists/{id}/members":               {id: "$list"},
	"POST /lists/{id}/members":              {id: "$list", body: `{"rows":["$cem"]}`},
	"POST /lists/{id}/remove":               {id: "$list", body: `{"rows":["$aya"]}`},
	"POST /messages":                        {body: `{"to":{"person":"$aya"},"subject":"x","text":"x"}`},
	"POST /messages/batch":                  {want: 202, body: `{"messages":[{"key":"k","to":{"person":"$aya"},"subject":"x","text":"x"}]}`, has: "person.not_found"},
	"GET /messages/status":                  {path: "/messages/status?key=parcel-1"},
	"GET /messages/{id}/status":             {id: "$message"},
	"POST /messages/{id}/cancel":            {id: "$message"},
	"POST /messages/test":                   {body: `{"template":"$template","to":"b@example.com","person":"$aya"}`},
	"GET /messages/{id}":                    {id: "$message"},
	"GET /personal-settings":                {want: 200},
	"PUT /personal-settings/{key}":          {want: 200, path: "/personal-settings/views.people", body: `{"value":["theirs"]}`},
	"DELETE /personal-settings/{key}":       {want: 204, path: "/personal-settings/views.people"},
	"GET /drafts/{kind}/{thing}":            {want: 200, path: "/drafts/template/$template", has: `{"others":[]}`},
	"PUT /drafts/{kind}/{thing}":            {want: 200, path: "/drafts/template/$template", body: `{"base":1,"document":"theirs"}`, has: `"others":[]`},
	"DELETE /drafts/{kind}/{thing}":         {want: 204, path: "/drafts/template/$template"},
	"GET /people":                           {want: 200, path: "/people?q=zanzibar", has: `"items":[]`},
	"GET /people/count":                     {want: 200, path: "/people/count?q=zanzibar", has: `"count":0`},
	"POST /people/exports":                  {body: `{"who":{"set":"$list"}}`},
	"POST /events/exports":                  {want: 202, body: `{}`}, // TestExportsHoldWhatIsTheWorkspacesAlone reads it
	"POST /lists/{id}/changes":              {id: "$list", body: `{"who":{}}`},
	"POST /list-changes/{id}/undo":          {id: "$list_job"},
	"POST /people":                          {want: 201, body: `{"identifiers":[{"kind":"user_id","value":"aya"}],"traits":{"first_name":"mine"}}`},
	"GET /people/{id}":                      {id: "$aya"},
	"GET /people/{id}/why":                  {id: "$aya", path: "/people/$aya/why?campaign=$campaign"},
	"GET /people/{id}/apart":                {id: "$aya"},
	"POST /people/{id}/split":               {id: "$aya", body: `{"identifiers":[{"kind":"user_id","value":"aya"}]}`},
	"POST /people/{id}/unbind":              {id: "$aya", body: `{"identifiers":[{"kind":"email","value":"aya.zanzibar@example.com"}],"idempotency_key":"k"}`},
	"GET /people-suggestions":               {want: 200, has: `"items":[]`},
	"GET /people-suggestions/{id}":          {id: "$suggestion"},
	"POST /people-suggestions/{id}/accept":  {id: "$suggestion", body: `{}`},
	"POST /people-suggestions/{id}/refuse":  {id: "$suggestion", body: `{}`},
	"POST /people-suggestions/look":         {want: 204},
	"POST /people/{id}/separate":            {id: "$aya", body: `{"other":"$cem"}`},
	"POST /people/{id}/join":                {id: "$aya", body: `{"other":"$cem","idempotency_key":"k"}`},
	"DELETE /people-apart/{id}":             {id: "$apart"},
	"GET /people/{id}/events":               {id: "$aya"},
	"GET /people/{id}/identity":             {id: "$aya"},
	"GET /people/{id}/journeys":             {id: "$aya"},
	"GET /people/{id}/messages":             {id: "$aya"},
	"GET /people/{id}/portrait":             {id: "$aya"},
	"GET /people/{id}/segments":             {id: "$aya"},
	"GET /people/{id}/subscriptions":        {id: "$aya"},
	"POST /people/{id}/subscriptions":       {id: "$aya", body: `{"topic":"$topic","channel":"email","status":"unsubscribed"}`},
	"PATCH /people/{id}/traits":             {id: "$aya", body: `{"traits":{"plan":"taken"},"idempotency_key":"k"}`},
	"GET /people/{id}/export":               {id: "$aya"},
	"POST /people/{id}/reveal":              {id: "$aya", body: `{"field":"traits.ssn","reason":"theirs"}`},
	"POST /people/{id}/erasure":             {id: "$aya", body: `{"mode":"forget"}`},
	"GET /erasures":                         {want: 200, has: `"items":[]`},
	"GET /erasures/{id}":                    {id: "$erasure"},
	"GET /refusals":                         {want: 200, has: `"items":[]`},
	"POST /refusals":                        {want: 204, body: `{"identifiers":[{"kind":"user_id","value":"aya"}]}`},
	"POST /refusals/admit":                  {body: `{"identifier":{"kind":"email","value":"refused@zanzibar.example"}}`},
	"DELETE /refusals/{hash}":               {path: "/refusals/$refusal"},
	"POST /replays/check":                   {want: 200, body: `{"from":"2020-01-01T00:00:00Z","to":"2030-01-01T00:00:00Z"}`, has: `"people":0`},
	"POST /replays":                         {want: 202, body: `{"from":"2020-01-01T00:00:00Z","to":"2030-01-01T00:00:00Z"}`},
	"GET /usage":                            {want: 200, has: `"limit":0`},
	"GET /retention":                        {want: 200, has: `"policy":{"days":0,"rules":[]}`},
	"PUT /retention":                        {want: 200, body: `{"days":90,"rules":[]}`},
	"POST /retention/check":                 {want: 200, body: `{"days":90,"rules":[]}`, has: `"removed":[],"segments":[]`},
	"POST /retention/removal":               {want: 202},
	"GET /retention/gone":                   {want: 200, has: `"items":[]`},
	"GET /retention/receipts":               {want: 200, has: `"items":[]`},
	"POST /retention/limits":                {want: 200, body: `{"rule":{"event":{"name":"x","op":"gte","value":1}}}`, has: `"limits":[]`},
	"POST /privacy-check":                   {want: 200, body: `{"identifier":{"kind":"email","value":"refused@zanzibar.example"}}`, has: `"refused":false`},
	"GET /privacy-rules":                    {want: 200, has: `"fields":[]`},
	"PUT /privacy-rules":                    {want: 200, body: `{"fields":[],"consent":["theirs"],"unasked":false}`},
	"POST /privacy-rules/try":               {want: 200, body: `{"rules":{"fields":[],"consent":[],"unasked":true},"event":{"type":"track"}}`},
	"GET /tasks":                            {want: 200, has: `"items":[]`},
	"POST /tasks":                           {body: `{"title":"mine","person_id":"$aya"}`},
	"GET /tasks/{id}":                       {id: "$todo"},
	"PUT /tasks/{id}":                       {id: "$todo", body: `{"title":"taken","revision":0}`},
	"POST /tasks/{id}/complete":             {id: "$todo", body: `{"outcome":"taken"}`},
	"POST /tasks/{id}/assign":               {id: "$todo", body: `{"assignee":"taken"}`},
	"POST /tasks/{id}/reopen":               {id: "$todo"},
	"POST /bulk-acts":                       {want: 202, body: `{"act":"segment_archive","ids":["$segment"]}`}, // TestManyOfAnotherWorkspaceStayAsTheyAre reads what came of it
	"POST /bulk-acts/uses":                  {want: 200, body: `{"act":"template_archive","ids":["$template"]}`, has: `"used":0`},
	"POST /bulk-acts/count":                 {want: 200, body: `{"act":"segment_archive"}`, has: `"count":0`},
	"GET /bulk-acts/{id}":                   {id: "$job"},
	"POST /bulk-acts/{id}/undo":             {id: "$job"},
	"POST /exports":                         {want: 202, body: `{"list":"campaigns","columns":[{"title":"name","field":"name"}]}`}, // the same
	"POST /tasks/{id}/cancel":               {id: "$todo", body: `{"outcome":"taken"}`},
	"GET /events":                           {want: 200, has: `"items":[`},
	"GET /events/{id}":                      {path: "/events/$arrived"},
	"GET /rejections":                       {want: 200, has: `"items":[]`},
	"GET /report-catalog":                   {want: 200, has: `"key":"links"`},
	"GET /reports/summary":                  {want: 200, has: `"asked":0`},
	"GET /plan":                             {want: 200, has: `"entries":[]`},
	"PUT /plan/cadence":                     {want: 200, body: `{"least":1,"most":3,"person":4}`},
	"POST /series/next-runs":                {want: 200, body: `{"schedule":{"every":"day","at":"09:00"}}`, has: `"runs":[{`},
	"GET /reports/effect":                   {want: 200, has: `"judgement":"no_control"`},
	"GET /campaigns/{id}/effect":            {id: "$campaign"},
	"GET /campaigns/{id}/effect/people":     {id: "$campaign"},
	"GET /journeys/{id}/effect/people":      {id: "$journey"},
	"GET /reports/effect/people":            {want: 200, has: `"items":[]`},
	"GET /journeys/{id}/effect":             {id: "$journey"},
	"GET /reports/{key}":                    {want: 200, path: "/reports/topics", has: `"rows":[]`},
	"GET /reports/{key}/csv":                {want: 200, path: "/reports/topics/csv"},
	"GET /reports/{key}/people":             {want: 200, path: "/reports/topics/people?metric=sent&row=$topic", has: `"items":[]`},
	"GET /reports/{key}/people/csv":         {want: 200, path: "/reports/topics/people/csv?metric=sent&all=true"},
	"GET /campaigns/{id}/note":              {id: "$campaign"},
	"GET /campaigns/{id}/notes":             {id: "$campaign"},
	"PUT /campaigns/{id}/note":              {id: "$campaign", body: `{"base":0,"plan":"taken"}`},
	"GET /journeys/{id}/note":               {id: "$journey"},
	"GET /journeys/{id}/notes":              {id: "$journey"},
	"PUT /journeys/{id}/note":               {id: "$journey", body: `{"base":0,"plan":"taken"}`},
	"GET /saved-reports":                    {want: 200, has: `"items":[]`},
	"POST /saved-reports":                   {want: 201, body: `{"name":"mine","report":"topics"}`},
	"GET /saved-reports/{id}":               {id: "$saved_report"},
	"PUT /saved-reports/{id}":               {id: "$saved_report", body: `{"name":"taken","report":"topics"}`},
	"DELETE /saved-reports/{id}":            {id: "$saved_report"},
	"GET /saved-reports/{id}/note":          {id: "$saved_report"},
	"GET /saved-reports/{id}/notes":         {id: "$saved_report"},
	"PUT /saved-reports/{id}/note":          {id: "$saved_report", body: `{"base":0,"plan":"taken"}`},
	"GET /reports/overview":                 {want: 200, has: `"orders":0`},
	"GET /reports/overview/people":          {want: 200, path: "/reports/overview/people?metric=orders", has: `"items":[]`},
	"GET /reports/summary/people":           {want: 200, path: "/reports/summary/people?metric=new_people", has: `"items":[]`},
	"GET /plan/people":                      {path: "/plan/people?metric=conflict&a=$campaign&b=$draft_campaign"},
	"GET /rule-schema":                      {want: 200},
	"GET /block-schema":                     {want: 200},
	"GET /segments":                         {want: 200, path: "/segments?q=zanzibar", has: `"items":[]`},
	"POST /segments":                        {want: 422, body: `{"name":"mine","rule":{"segment":{"id":"$segment"}}}`},
	"POST /segments/preview":                {want: 422, body: `{"rule":{"not":{"segment":{"id":"$segment"}}}}`},
	"POST /segments/preview/people":         {want: 404, body: `{"rule":{"trait":{"path":"country","op":"eq","value":"JP"}},"segment_id":"$segment","change":"leaving"}`},
	"GET /segments/{id}":                    {id: "$segment"},
	"PATCH /segments/{id}":                  {id: "$segment", body: `{"name":"taken"}`},
	"DELETE /segments/{id}":                 {id: "$segment"},
	"GET /segments/{id}/history":            {id: "$segment"},
	"GET /segments/{id}/versions":           {id: "$segment"},
	"GET /campaigns/{id}/versions":          {id: "$campaign"},
	"GET /series/{id}/versions":             {id: "$series"},
	"GET /journey-maps/{id}/versions":       {id: "$map"},
	"GET /personas/{id}/versions":           {id: "$persona"},
	"GET /segments/{id}/growth":             {id: "$segment"},
	"GET /segments/{id}/overlap":            {path: "/segments/$segment/overlap?with=$list"},
	"GET /segments/{id}/users":              {id: "$segment"},
	"GET /seen-fields":                      {want: 200, has: `"items":[]`},
	"GET /seen-values":                      {want: 200, path: "/seen-values?path=plan", has: `"items":[]`},
	"GET /segments/{id}/members":            {id: "$segment"},
	"POST /segments/{id}/unarchive":         {id: "$archived_segment"},
	"GET /sending":                          {want: 200, has: `"waiting":[]`},
	"POST /sending/dry-run":                 {body: `{"campaign":"$campaign"}`},
	"POST /sending/dry-run/people":          {body: `{"include":["$segment"],"topic":"$topic"}`},
	"GET /sending/policy":                   {want: 200, has: `"holdout":0`},
	"PUT /sending/policy":                   {want: 200, body: `{"quiet":[{"from":"22:00","to":"07:00"}],"caps":[],"holdout":0}`},
	"PUT /sending":                          {want: 200, body: `{"stopped":true}`},
	"DELETE /session":                       {want: 204},
	"GET /session":                          {want: 200},
	"POST /session/password":                {want: 403, body: `{"current_password":"x","new_password":"yyyyyyyyyyyyyyyy"}`}, // keys have none
	"GET /series":                           {want: 200, has: `"items":[]`},
	"POST /series":                          {want: 201, body: `{"name":"mine","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`},
	"GET /series/{id}":                      {id: "$series"},
	"PUT /series/{id}":                      {id: "$series", body: `{"name":"taken","audience":{"include":["$segment"]},"topic":"$topic","template":"$template","schedule":{"every":"day","at":"09:00"}}`},
	"DELETE /series/{id}":                   {id: "$series"},
	"GET /series/{id}/runs":                 {id: "$series"},
	"POST /series/{id}/activate":            {id: "$series"},
	"POST /series/{id}/approve":             {id: "$series"},
	"POST /series/{id}/pause":               {id: "$series"},
	"POST /series/{id}/end":                 {id: "$series"},
	"GET /sessions":                         {want: 200, has: `"items":[]`},
	"DELETE /sessions/{id}":                 {id: "$session"},
	"GET /sources":                          {want: 200, path: "/sources?limit=500"},
	"POST /sources":                         {want: 201, body: `{"name":"mine","kind":"server"}`},
	"PUT /sources/{id}":                     {id: "$source", body: `{"name":"taken","disabled":true}`},
	"DELETE /sources/{id}":                  {id: "$source"},
	"GET /staff":                            {want: 200, path: "/staff?limit=500", has: `"items":[]`},
	"POST /staff":                           {want: 201, body: `{"email":"new@b.example","role":"viewer"}`},
	"DELETE /staff/{id}":                    {id: "$member"},
	"POST /staff/{id}/reset":                {id: "$member"},
	"GET /staff/{id}":                       {id: "$member"},
	"PUT /staff/{id}/role":                  {id: "$member", body: `{"role":"owner"}`},
	"GET /stats":                            {want: 200, has: `"events":0}`},
	"GET /suppressions":                     {want: 200, has: `"items":[]`},
	"POST /suppressions":                    {want: 200, body: `{"channel":"email","addresses":["x@example.com"]}`},
	"DELETE /suppressions/{channel}/{hash}": {path: "/suppressions/email/$hash"},
	"GET /templates":                        {want: 200, path: "/templates?q=zanzibar", has: `"items":[]`},
	"POST /templates":                       {want: 201, body: `{"name":"mine","subject":"s","html":"<p>h</p>"}`},
	"POST /templates/preview":               {body: `{"template":"$template"}`},
	"POST /templates/links":                 {body: `{"template":"$template"}`},
	"GET /templates/{id}":                   {id: "$template"},
	"PUT /templates/{id}":                   {id: "$template", body: `{"name":"taken","subject":"s","html":"h","base":1}`},
	"DELETE /templates/{id}":                {id: "$spare_template"},
	"POST /templates/{id}/restore":          {id: "$archived_template"},
	"GET /templates/{id}/versions":          {id: "$template"},
	"GET /templates/{id}/users":             {id: "$template"},
	"GET /templates/{id}/changes":           {path: "/templates/$template/changes?from=1"},
	"GET /templates/{id}/outdated":          {id: "$template"},
	"POST /templates/{id}/revert":           {id: "$template", body: `{"version":1}`},
	"POST /templates/{id}/refresh":          {id: "$template"},
	"GET /templates/languages":              {want: 200},
	"GET /brand":                            {want: 200},
	"PUT /brand":                            {want: 200, body: brandBody},
	"GET /brand/revisions":                  {want: 200, has: `"items":[`},
	"GET /snippets":                         {want: 200, has: `"items":[`},
	"POST /snippets":                        {want: 201, body: `{"key":"mine","name":"Mine","blocks":[{"type":"divider"}]}`},
	"GET /snippets/{key}":                   {path: "/snippets/spice_hours"},
	"PUT /snippets/{key}":                   {path: "/snippets/spice_hours", body: `{"name":"taken","blocks":[{"type":"divider"}],"base":1}`},
	"GET /snippets/{key}/versions":          {path: "/snippets/spice_hours/versions"},
	"GET /snippets/{key}/users":             {path: "/snippets/spice_hours/users"},
	"DELETE /snippets/{key}":                {path: "/snippets/spice_hours"},
	"POST /snippets/{key}/restore":          {path: "/snippets/spice_hours/restore"},
	"GET /topics":                           {want: 200},
	"POST /topics":                          {want: 201, body: `{"name":"mine"}`},
	"GET /topics/{id}":                      {id: "$topic"},
	"PUT /topics/{id}":                      {id: "$topic", body: `{"name":"taken","channels":["email"],"opt_in":"implied"}`},
	"GET /workspace":                        {want: 200},
	"PATCH /workspace":                      {want: 200, body: `{"name":"mine"}`},

	"GET /identity-scheme":                  {want: 200, has: `"version":0`},
	"POST /identity-scheme/simulations":     {want: 202, body: fewKinds},
	"GET /identity-scheme/simulations/{id}": {id: "$kinds"},
	"PUT /identity-scheme":                  {body: chosen("$kinds")},
	"GET /standing":                         {want: 200, has: `"grid":[]`},
	"GET /standing/scheme":                  {want: 200},
	"PUT /standing/scheme":                  {want: 200, body: standingScheme},
	"POST /standing/round":                  {want: 204},
	"GET /people/{id}/standing":             {id: "$aya"},
	"PUT /people/{id}/service":              {id: "$aya", body: `{"service":"high"}`},

	"GET /journey-maps":             {want: 200, has: `"items":[]`},
	"GET /journey-maps/ready":       {want: 200, has: `"key":"first_purchase"`},
	"POST /journey-maps":            {want: 422, body: `{"name":"mine","persona_id":"$persona"}`},
	"GET /journey-maps/{id}":        {id: "$map"},
	"PUT /journey-maps/{id}":        {id: "$map", body: `{"name":"taken","stages":[],"revision":0}`},
	"DELETE /journey-maps/{id}":     {id: "$map"},
	"GET /journey-maps/{id}/flow":   {id: "$map"},
	"GET /journey-maps/{id}/people": {path: "/journey-maps/$map/people?figure=all"},
	"GET /personas":                 {want: 200, has: `"items":[]`},
	"POST /personas":                {want: 422, body: `{"name":"mine","segment_id":"$segment"}`},
	"GET /personas/{id}":            {id: "$persona"},
	"PUT /personas/{id}":            {id: "$persona", body: `{"name":"taken","revision":0}`},
	"DELETE /personas/{id}":         {id: "$persona"},
	"GET /personas/{id}/reality":    {id: "$persona"},

	"GET /webhook-kinds":                               {want: 200, has: `"key":"message.sent"`},
	"GET /webhooks":                                    {want: 200, has: `"items":[]`},
	"POST /webhooks":                                   {want: 201, body: `{"name":"mine","url":"https://b.example/in","kinds":["message.sent"]}`},
	"GET /webhooks/{id}":                               {id: "$webhook"},
	"PUT /webhooks/{id}":                               {id: "$webhook", body: `{"name":"taken","url":"https://b.example/in","kinds":["message.sent"]}`},
	"POST /webhooks/{id}/on":                           {id: "$webhook"},
	"POST /webhooks/{id}/off":                          {id: "$webhook"},
	"DELETE /webhooks/{id}":                            {id: "$webhook"},
	"POST /webhooks/{id}/secret":                       {id: "$webhook"},
	"POST /webhooks/{id}/ping":                         {id: "$webhook"},
	"POST /webhooks/{id}/replay":                       {id: "$webhook", body: `{"from":"2026-01-01T00:00:00Z"}`},
	"GET /webhooks/{id}/deliveries":                    {id: "$webhook"},
	"GET /webhooks/{id}/deliveries/{delivery}":         {path: "/webhooks/$webhook/deliveries/$delivery"},
	"POST /webhooks/{id}/deliveries/{delivery}/replay": {path: "/webhooks/$webhook/deliveries/$delivery/replay"},

	"GET /accounts/{id}/pace":                 {id: "$account"},
	"GET /sending/providers":                  {want: 200, has: `"gmail.com"`},
	"GET /sending/domains":                    {want: 200, has: `"items":[]`},
	"POST /sending/domains":                   {want: 201, body: `{"domain":"mine.example"}`},
	"GET /sending/domains/{id}":               {id: "$domain"},
	"PUT /sending/domains/{id}":               {id: "$domain", body: `{"sign":false}`},
	"DELETE /sending/domains/{id}":            {id: "$domain"},
	"POST /sending/domains/{id}/check":        {id: "$domain"},
	"POST /sending/domains/{id}/keys":         {id: "$domain", body: `{"algorithm":"rsa"}`},
	"DELETE /sending/domains/{id}/keys/{key}": {path: "/sending/domains/$domain/keys/$dkim_key"},

	"POST /suppressions/import":              {body: `{"channel":"email","upload":"$spare_upload"}`},
	"POST /suppressions/import/check":        {body: `{"channel":"email","upload":"$spare_upload"}`},
	"GET /imports/{id}/undo":                 {id: "$people_job"},
	"POST /imports/{id}/undo":                {id: "$people_job"},
	"GET /sample":                            {want: 200, has: `"present":false`},
	"POST /sample":                           {want: 409, body: `{"locale":"en"}`},
	"POST /sample/removal":                   {want: 202},
	"GET /import-mappings":                   {want: 200, has: `"items":[]`},
	"POST /import-mappings":                  {want: 201, body: `{"name":"mine","columns":["email"],"plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]}}`},
	"GET /import-mappings/{id}":              {id: "$mapping"},
	"PUT /import-mappings/{id}":              {id: "$mapping", body: `{"name":"taken","plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]},"revision":0}`},
	"DELETE /import-mappings/{id}":           {id: "$mapping"},
	"POST /imports/look":                     {body: `{"upload":"$spare_upload"}`},
	"POST /imports/check":                    {body: `{"upload":"$spare_upload","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},"plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]}}`},
	"POST /imports":                          {body: `{"upload":"$spare_upload","layout":{"form":"delimited","encoding":"utf-8","delimiter":"comma","header":true},"plan":{"columns":[{"name":"email","to":"identifier","key":"email"}]}}`},
	"GET /people/{id}/suppression":           {id: "$aya"},
	"PUT /people/{id}/suppression":           {id: "$aya", body: `{"reason":"asked"}`},
	"DELETE /people/{id}/suppression":        {id: "$cem"},
	"GET /jobs":                              {want: 200, has: `"next_cursor":""`}, // only what it has begun itself
	"GET /jobs/{id}":                         {id: "$job"},
	"POST /jobs/{id}/cancel":                 {id: "$waiting_job"},
	"GET /jobs/{id}/files/{key}":             {path: "/jobs/$job/files/rejected"},
	"POST /uploads":                          {want: 201, body: "a"},
	"GET /suppressions/csv":                  {want: 200, has: "channel,hint"},
	"GET /people/{id}/preferences":           {id: "$aya"},
	"PUT /people/{id}/preferences":           {id: "$aya", body: `{"frequency":"weekly"}`},
	"POST /people/{id}/subscriptions/resend": {id: "$cem", body: `{"topic":"$topic","channel":"email"}`},
}

// request is how the case is asked.
func (f foreign) request(t *testing.T, op operation, ids map[string]string) (what, body string) {
	t.Helper()
	path := f.path
	if path == "" {
		path = strings.Replace(op.Path, "{id}", f.id, 1)
	}
	if strings.Contains(path, "{") {
		t.Fatalf("%s: the case fills only some of the path", op)
	}
	return op.Method + " " + expand(t, path, ids), expand(t, f.body, ids)
}

// snapshot is all that the business sees of itself but the audit log and what says when something was used.
func snapshot(w *world, b *business) map[string]any {
	w.t.Helper()
	out := map[string]any{}
	nameless := []string{"/reports/subjects", "/people/$aya/suppression", "/sending", "/sending/bounce-policy", "/stats", "/campaigns/$campaign/report", "/journey-rounds/$round", "/events/$arrived"} // ids and numbers alone
	for _, path := range []string{
		"/accounts", "/campaigns", "/campaigns/$campaign/report", "/campaigns/$campaign/people", "/event-names", "/import-mappings", "/import-mappings/$mapping", "/invoices", "/invoices/$invoice", "/jobs", "/jobs/$job", "/journeys", "/journeys/$journey/report", "/journeys/$journey/versions",
		"/series", "/series/$series",
		"/accounts/$account/inbound", "/bounces", "/sending/bounce-policy",
		"/journey-rounds/$round", "/keys", "/lists", "/lists/$list/members", "/messages/$message", "/people", "/people-suggestions", "/people-suggestions/$suggestion", "/people/$aya/apart", "/people/$aya/events", "/people/$aya/identity", "/people/$aya/messages",
		"/people/$aya/segments", "/people/$cem/subscriptions", "/people/$aya/suppression", "/rejections", "/events", "/events/$arrived", "/reports/topics", "/reports/subjects", "/reports/campaigns", "/saved-reports", "/campaigns/$campaign/note", "/segments", "/segments?status=archived", "/segments/$segment/members", "/segments/$segment/history", "/segments/$segment/users", "/personas", "/personas/$persona", "/journey-maps", "/journey-maps/$map", "/journey-maps/$map/flow", "/seen-values?path=plan", "/sending",
		"/sources", "/staff", "/stats", "/suppressions", "/templates", "/templates?status=archived", "/templates/$template/versions", "/templates/$template/users", "/templates/languages", "/brand", "/brand/revisions", "/snippets", "/snippets/spice_hours", "/snippets/spice_hours/versions", "/topics", "/workspace",
	} {
		var v any
		w.ok(b.key, "GET "+b.expand(w, path), "", &v)
		raw, err := json.Marshal(v)
		w.must(err)
		out[path] = string(raw)
		if !strings.Contains(strings.ToLower(string(raw)), strings.ToLower(marker)) && !slices.Contains(nameless, path) {
			w.t.Errorf("%s shows nothing of the business, so it proves nothing: %s", path, raw)
		}
	}
	return out
}

func TestAnotherWorkspaceSeesAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	other := w.tenant("Other")
	w.signIn("viewer@zanzibar.example")
	sessions, err := w.staff.Sessions(t.Context(), staff.Principal{ID: b.ids["member"]})
	w.must(err)
	b.ids["session"] = sessions[0].ID
	before := snapshot(w, b)
	known := map[string]bool{}
	for _, op := range operations(t) {
		known[op.String()] = true
		if op.public() {
			continue
		}
		f, ok := foreignCases[op.String()]
		if !ok {
			t.Errorf("%s has no case in foreignCases: say what a key of another workspace gets", op)
			continue
		}
		what, body := f.request(t, op, b.ids)
		r := w.call(what, asked{key: other.key, body: body})
		want := f.want
		if want == 0 {
			want = http.StatusNotFound
		}
		if r.Code != want || !strings.Contains(r.Body.String(), f.has) {
			t.Errorf("%s: %d %s, want %d with %q", what, r.Code, r.Body, want, f.has)
		}
		if r.Code >= 400 {
			problemOf(t, r)
		}
		if strings.Contains(strings.ToLower(r.Body.String()), strings.ToLower(marker)) {
			t.Errorf("%s shows what is another workspace's: %s", what, r.Body)
		}
	}
	for what := range foreignCases {
		if !known[what] {
			t.Errorf("foreignCases has %s, which is not in the document", what)
		}
	}
	w.settle()
	w.evaluate()
	if d := cmp.Diff(before, snapshot(w, b)); d != "" {
		t.Errorf("another workspace's calls have changed the business (-before +after):\n%s", d)
	}
}

// An id may also be handed in with the body, where the path is one's own.
func TestAnotherWorkspacesThingsCannotBeReferredTo(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	o := &business{tenant: w.tenant("Other"), ids: map[string]string{}}
	for name, id := range b.ids {
		o.ids[name] = id
	}
	play(t, w, o, []scenario{
		{do: "POST /people", body: `{"identifiers":[{"kind":"user_id","value":"mine"},{"kind":"email","value":"mine@example.com"}]}`, status: 201, keep: "mine"},
		{do: "POST /topics", body: `{"name":"Mine"}`, status: 201, keep: "my_topic"},
		{do: "POST /templates", body: `{"name":"Mine","subject":"s {{ person.first_name }}","html":"<p>h</p>"}`, status: 201, keep: "my_template"},
		{do: "POST /messages/test", body: `{"template":"$my_template","to":"x@example.com"}`, status: 409, has: "outbox.test.no_account"}, // though the other one has an account
		{do: "POST /accounts", body: `{"kind":"email","name":"Mine","from_address":"me@example.com","config":{"host":"h"}}`, status: 201, has: `"default":true`},
		{do: "POST /lists", body: `{"name":"Mine"}`, status: 201, keep: "my_list"},
		{do: "POST /lists/$my_list/members", body: `{"rows":["$aya","user_id:aya","email:aya.zanzibar@example.com"]}`, status: 200, has: `"unknown":3`, not: `"person_id"`},
		{do: "POST /people/$mine/subscriptions", body: `{"topic":"$topic","channel":"email","status":"subscribed"}`, status: 404},
		{do: "POST /messages/test", body: `{"template":"$template","to":"x@example.com"}`, status: 404},
		{do: "POST /messages/test", body: `{"template":"$my_template","to":"x@example.com","account":"$account"}`, status: 404},
		{do: "POST /messages/test", body: `{"template":"$my_template","to":"x@example.com","topic":"$topic"}`, status: 404},
		{do: "POST /messages/test", body: `{"template":"$my_template","to":"x@example.com","person":"$aya"}`, status: 404},
		{do: "POST /templates/preview", body: `{"template":"$my_template","person":"$aya"}`, status: 404},
		{do: "POST /campaigns", body: `{"name":"m","audience":{"include":["$segment"],"exclude":["$list"]},"topic":"$topic","template":"$template"}`, status: 201, keep: "my_campaign"},
		{do: "POST /campaigns/$my_campaign/launch", status: 422, has: "campaign.missing.segment | campaign.missing.topic | campaign.missing.template"},
		{do: "GET /campaigns/$my_campaign/preflight", status: 200, has: "campaign.missing.segment", not: "Zanzibar"},
		{do: "POST /journeys", body: `{"name":"m","draft":{"trigger":{"segment_entered":{"id":"$segment"}},"nodes":[{"id":"s","kind":"send","config":{"template":"$template","topic":"$topic"}}]}}`, status: 201, keep: "my_journey"},
		{do: "POST /journeys/$my_journey/publish", status: 422, has: "journey.missing.segment | journey.missing.topic | journey.missing.template"},
		{do: "GET /rejections?source=$source", status: 200, has: `"items":[]`},
		{do: "GET /audit?noun_id=$aya", status: 200, has: `"items":[]`},
		{do: "POST /segments", body: `{"name":"m","rule":{"list":{"id":"$list"}}}`, status: 422, has: "segment.rule.unknown_set"},
	})
}

func TestEveryRouteAsksWhoItIsAndWhatTheyMay(t *testing.T) {
	w := newWorld(t)
	ws := w.tenant("Doors").ws
	ids := map[string]string{}
	for _, name := range []string{"api_journey", "task", "simulation", "secret", "todo", "spare_todo"} {
		ids[name] = "unknown"
	}
	ids["series"] = "unknown"
	for _, name := range []string{"job", "kinds", "list_job", "waiting_job", "people_job", "mapping", "upload", "spare_upload", "domain", "dkim_key", "account", "segment", "topic", "template", "campaign", "invoice", "apart", "suggestion", "spare_suggestion", "erasure", "refusal", "draft_campaign", "round", "journey", "draft_journey", "key", "list", "cem", "aya", "message", "archived_segment", "session", "source", "member", "hash", "spare_template", "archived_template", "saved_report", "webhook", "delivery", "persona", "map", "arrived"} {
		ids[name] = "unknown"
	}
	w.user(ws, "owner@doors.example", staff.Owner)
	owner := w.signIn("owner@doors.example")
	keys := map[staff.Permission]string{} // everything but that one
	only := map[staff.Permission]string{}
	for _, p := range staff.Permissions() {
		keys[p] = w.key(ws, slices.DeleteFunc(staff.Permissions(), func(x staff.Permission) bool { return x == p })...)
		only[p] = w.key(ws, p)
	}
	refused := func(t *testing.T, what string, r *httptest.ResponseRecorder, status int, code string) {
		t.Helper()
		if p := problemOf(t, r); r.Code != status || p.Code != code {
			t.Errorf("%s: %d %s, want %d with the code %s", what, r.Code, r.Body, status, code)
		}
	}
	for _, op := range operations(t) {
		if op.public() {
			continue
		}
		what, body := foreignCases[op.String()].request(t, op, ids)
		r := w.call(what, asked{body: body})
		refused(t, what+" by nobody", r, http.StatusUnauthorized, "request.unauthenticated")
		if r.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without WWW-Authenticate", what)
		}
		refused(t, what+" with a made-up key", w.call(what, asked{body: body, key: "kz_made_up"}), http.StatusUnauthorized, "staff.key.unknown")
		refused(t, what+" with a made-up session", w.call(what, asked{body: body, browser: browser{cookie: &http.Cookie{Name: owner.cookie.Name, Value: "made-up"}}}), http.StatusUnauthorized, "staff.session.ended")
		if op.Method != http.MethodGet {
			for _, csrf := range []string{"", "wrong", owner.csrf + "x"} {
				refused(t, what+" without the page's token", w.call(what, asked{body: body, browser: browser{owner.cookie, csrf}}), http.StatusForbidden, "staff.csrf.invalid")
			}
		}
		need := op.permission(t)
		if need == "" {
			continue
		}
		r = w.call(what, asked{body: body, key: keys[need]})
		refused(t, what+" without "+string(need), r, http.StatusForbidden, "staff.permission.missing")
		if !strings.Contains(r.Body.String(), string(need)) {
			t.Errorf("%s: the refusal does not name %s: %s", what, need, r.Body)
		}
		r = w.call(what, asked{body: body, key: only[need]})
		alsoNeeds := map[string]bool{ // a right of its own on top, or no more than one has oneself
			"POST /exports": true, "POST /messages/test": true, "POST /sending/dry-run/people": true, "GET /people/{id}/why": true, "POST /staff": true, "POST /keys": true, "PUT /staff/{id}/role": true,
		}[op.String()]
		if r.Code == http.StatusUnauthorized || r.Code == http.StatusForbidden && !alsoNeeds {
			t.Errorf("%s with %s alone: %d %s; the document says that it is enough", what, need, r.Code, r.Body)
		}
	}
}

// Broken bodies are refused alike, whatever they are sent to.
func TestEveryBodyIsCheckedBeforeAnythingIsDone(t *testing.T) {
	w := newWorld(t)
	key := w.tenant("Bodies").key
	for _, op := range operations(t) {
		if op.RequestBody == nil || op.Path == "/uploads" { // whose body is any file
			continue
		}
		what := op.Method + " " + strings.Replace(op.Path, "{id}", "some", 1)
		for body, want := range map[string]int{"": 400, "{": 400, `"text"`: 422, "[]": 422, "null": 422, `{"no_such_field":1}`: 422, `{"a":` + strings.Repeat("[", 200_000): 400} {
			r := w.call(what, asked{key: key, body: body})
			p := problemOf(t, r)
			if r.Code != want || !strings.HasPrefix(p.Code, "request.") {
				t.Errorf("%s with %.30q: %d %s %s, want %d", what, body, r.Code, p.Code, p.Detail, want)
			}
			if want == 422 && len(p.Errors) == 0 {
				t.Errorf("%s with %.30q names no fault", what, body)
			}
		}
		size := 5 << 20
		if strings.HasPrefix(op.Path, "/messages") { // they carry files
			size = 33 << 20
		}
		r := w.call(what, asked{key: key, body: `{"x":"` + strings.Repeat("a", size) + `"}`})
		if p := problemOf(t, r); r.Code != http.StatusRequestEntityTooLarge || p.Code != "request.too_large" {
			t.Errorf("%s with too much: %d %s", what, r.Code, p.Code)
		}
	}
}
