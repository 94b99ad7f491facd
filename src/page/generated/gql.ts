/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Viewer {\n    viewer {\n      name\n      keyId\n      scopes\n      pinnedRevision {\n        hash\n      }\n    }\n  }\n": typeof types.ViewerDocument,
    "\n  query ExploreSpend(\n    $span: SpanInput!\n    $by: [StatsDimension!]\n    $filter: SpendFilter\n    $every: CalendarUnit\n    $tagKey: String\n  ) {\n    spend(span: $span, by: $by, filter: $filter, every: $every, tagKey: $tagKey) {\n      from\n      to\n      complete\n      total {\n        cost\n        estimated\n        runs\n        cachedRuns\n        attempts\n        errors\n        errorRate\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n      series {\n        from\n        bucket {\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          cost\n          runs\n          attempts\n          errorRate\n          inputTokens\n          outputTokens\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": typeof types.ExploreSpendDocument,
    "\n  query SavingsOf($span: SpanInput!, $filter: SpendFilter) {\n    savings(span: $span, filter: $filter) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n": typeof types.SavingsOfDocument,
    "\n  subscription SpendNow {\n    costStats(window: HOUR, by: [TASK], everyMs: 1000) {\n      at\n      total {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        errorRate\n        latencyP50Ms\n        latencyP95Ms\n        perMinute {\n          at\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        bucket {\n          cost\n          runs\n        }\n      }\n      budgets {\n        id\n        name\n        account\n        scope\n        unit\n        limit\n        spent\n        held\n        per\n        then\n        resetsAt\n        windowStartedAt\n      }\n    }\n  }\n": typeof types.SpendNowDocument,
    "\n  query Today {\n    pace {\n      perMinute\n      usualPerMinute\n      weeks\n    }\n    spend(span: { window: DAY }) {\n      total {\n        cost\n        runs\n      }\n    }\n    savings(span: { window: DAY }) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n": typeof types.TodayDocument,
    "\n  query Forecasts {\n    budgets {\n      id\n      forecast {\n        expected\n        low\n        high\n        exhaustedAt\n        earliest\n        latest\n        pastDays\n      }\n    }\n  }\n": typeof types.ForecastsDocument,
    "\n  query InFlight {\n    runs(first: 50, filter: { status: RUNNING }) {\n      edges {\n        node {\n          id\n          startedAt\n          cost\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          attempts {\n            id\n            status\n            held\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.InFlightDocument,
    "\n  mutation CancelRun($id: ID!) {\n    cancelRun(id: $id) {\n      __typename\n      ... on Refusal {\n        message\n      }\n    }\n  }\n": typeof types.CancelRunDocument,
    "\n  query Switches {\n    spendSwitches {\n      scope\n      paused\n      reason\n      by\n      since\n    }\n  }\n": typeof types.SwitchesDocument,
    "\n  mutation PauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      paused\n    }\n  }\n": typeof types.PauseSpendingDocument,
    "\n  mutation ResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      paused\n    }\n  }\n": typeof types.ResumeSpendingDocument,
    "\n  query PausableScopes {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n": typeof types.PausableScopesDocument,
    "\n  query RecentAlerts {\n    alerts(first: 60) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n": typeof types.RecentAlertsDocument,
    "\n  subscription AlertRaised {\n    alerts {\n      id\n    }\n  }\n": typeof types.AlertRaisedDocument,
    "\n  query ProviderHealth {\n    providers {\n      id\n      name\n      available\n      unavailable\n      models {\n        key\n        model\n        circuit\n        circuitRetryAfterMs\n        inFlight\n        queued\n        latencyMs\n        latencyP95Ms\n        requestHeadroom\n        tokenHeadroom\n        rateClosedForMs\n      }\n    }\n  }\n": typeof types.ProviderHealthDocument,
    "\n  mutation ResetCircuit($provider: ID!) {\n    resetCircuit(provider: $provider) {\n      id\n    }\n  }\n": typeof types.ResetCircuitDocument,
    "\n  query Keys {\n    apiKeys {\n      id\n      caller\n      team\n      tier\n      hint\n      scopes\n      tags {\n        key\n        value\n      }\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n      requestsPerMinute\n    }\n  }\n": typeof types.KeysDocument,
    "\n  mutation CreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n        caller\n      }\n    }\n  }\n": typeof types.CreateKeyDocument,
    "\n  mutation RevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n": typeof types.RevokeKeyDocument,
    "\n  query Unreconciled {\n    unreconciled {\n      id\n      step\n      model\n      startedAt\n      held\n      inputTokens\n      provider {\n        name\n      }\n    }\n  }\n": typeof types.UnreconciledDocument,
    "\n  mutation Reconcile($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      id\n      cost\n    }\n  }\n": typeof types.ReconcileDocument,
    "\n  query AlertList($after: String) {\n    alerts(first: 50, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n": typeof types.AlertListDocument,
    "\n  query Revisions($after: String) {\n    revisions(first: 30, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          hash\n          commit\n          subject\n          author\n          dirty\n          source\n          compiledAt\n          activeFrom\n          activeTo\n          active\n          pinned\n          problems {\n            code\n            severity\n            file\n            line\n            column\n            message\n            remedy\n            excerpt\n          }\n        }\n      }\n    }\n    costStats(window: ALL, by: [REVISION]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": typeof types.RevisionsDocument,
    "\n  subscription RevisionTaken {\n    revisions {\n      hash\n    }\n  }\n": typeof types.RevisionTakenDocument,
    "\n  query Difference($before: String!, $after: String!) {\n    planDifference(before: $before, after: $after) {\n      changes {\n        subject\n        message\n        effects\n      }\n      worstCosts {\n        task\n        before\n        after\n      }\n    }\n  }\n": typeof types.DifferenceDocument,
    "\n  mutation PinRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n    }\n  }\n": typeof types.PinRevisionDocument,
    "\n  mutation ReleaseRevision {\n    releaseRevision {\n      hash\n    }\n  }\n": typeof types.ReleaseRevisionDocument,
    "\n  query Runs($filter: RunFilter, $after: String) {\n    runs(first: 50, after: $after, filter: $filter) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          status\n          startedAt\n          latencyMs\n          cost\n          saved\n          cached\n          origin\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          error {\n            code\n          }\n          attempts {\n            id\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.RunsDocument,
    "\n  query OneRun($id: ID!) {\n    run(id: $id) {\n      id\n      status\n      startedAt\n      finishedAt\n      latencyMs\n      cost\n      saved\n      cached\n      origin\n      idempotencyKey\n      inputJson\n      outputJson\n      tags {\n        key\n        value\n      }\n      task {\n        name\n        active\n        file\n      }\n      caller {\n        name\n        team\n        tier\n      }\n      parent {\n        id\n      }\n      revision {\n        hash\n        commit\n        subject\n        author\n      }\n      error {\n        code\n        message\n        remedy\n        step\n      }\n      steps {\n        key\n        kind\n        status\n        startedAt\n        finishedAt\n        outputJson\n        error {\n          code\n          message\n        }\n      }\n      attempts {\n        id\n        step\n        status\n        model\n        requestedModel\n        provider {\n          name\n        }\n        startedAt\n        finishedAt\n        queueMs\n        firstTokenMs\n        latencyMs\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        reasoningTokens\n        cost\n        held\n        saved\n        estimated\n        errorClass\n        errorMessage\n        requestId\n        decision {\n          rule\n          pick\n          candidates {\n            model\n            chosen\n            score\n            expectedCost\n            skipped {\n              code\n              detail\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.OneRunDocument,
    "\n  subscription RunEvents($id: ID!) {\n    run(id: $id) {\n      __typename\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n        reason\n      }\n    }\n  }\n": typeof types.RunEventsDocument,
    "\n  mutation RunAgain($name: String!, $input: JSON!, $options: RunOptions) {\n    runTaskJson(name: $name, input: $input, options: $options) {\n      __typename\n      ... on Run {\n        id\n      }\n      ... on DryRun {\n        hold\n        steps {\n          step\n          hold\n          decision {\n            candidates {\n              model\n              chosen\n              skipped {\n                code\n              }\n            }\n          }\n        }\n      }\n      ... on Refusal {\n        message\n        remedy\n      }\n    }\n  }\n": typeof types.RunAgainDocument,
    "\n  query Tasks {\n    taskTypes {\n      id\n      name\n      description\n      deprecated\n      file\n      worstCase\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    costStats(window: MONTH, by: [TASK]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": typeof types.TasksDocument,
    "\n  query OneTask($name: String!) {\n    taskType(name: $name) {\n      id\n      name\n      description\n      file\n      plan\n      worstCase\n      revision\n      inputSchema\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    viewer {\n      scopes\n    }\n  }\n": typeof types.OneTaskDocument,
    "\n  subscription TryTask($name: String!, $input: JSON!) {\n    streamTaskJson(name: $name, input: $input) {\n      __typename\n      runId\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n      }\n      ... on RunSettled {\n        attempt {\n          model\n          cost\n        }\n      }\n      ... on RunFinished {\n        result {\n          __typename\n          ... on Run {\n            id\n            status\n            cost\n            latencyMs\n            outputJson\n            error {\n              code\n              message\n              remedy\n            }\n          }\n          ... on Refusal {\n            code\n            message\n            remedy\n          }\n          ... on InvalidInput {\n            problems {\n              path\n              message\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.TryTaskDocument,
};
const documents: Documents = {
    "\n  query Viewer {\n    viewer {\n      name\n      keyId\n      scopes\n      pinnedRevision {\n        hash\n      }\n    }\n  }\n": types.ViewerDocument,
    "\n  query ExploreSpend(\n    $span: SpanInput!\n    $by: [StatsDimension!]\n    $filter: SpendFilter\n    $every: CalendarUnit\n    $tagKey: String\n  ) {\n    spend(span: $span, by: $by, filter: $filter, every: $every, tagKey: $tagKey) {\n      from\n      to\n      complete\n      total {\n        cost\n        estimated\n        runs\n        cachedRuns\n        attempts\n        errors\n        errorRate\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n      series {\n        from\n        bucket {\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          cost\n          runs\n          attempts\n          errorRate\n          inputTokens\n          outputTokens\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": types.ExploreSpendDocument,
    "\n  query SavingsOf($span: SpanInput!, $filter: SpendFilter) {\n    savings(span: $span, filter: $filter) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n": types.SavingsOfDocument,
    "\n  subscription SpendNow {\n    costStats(window: HOUR, by: [TASK], everyMs: 1000) {\n      at\n      total {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        errorRate\n        latencyP50Ms\n        latencyP95Ms\n        perMinute {\n          at\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        bucket {\n          cost\n          runs\n        }\n      }\n      budgets {\n        id\n        name\n        account\n        scope\n        unit\n        limit\n        spent\n        held\n        per\n        then\n        resetsAt\n        windowStartedAt\n      }\n    }\n  }\n": types.SpendNowDocument,
    "\n  query Today {\n    pace {\n      perMinute\n      usualPerMinute\n      weeks\n    }\n    spend(span: { window: DAY }) {\n      total {\n        cost\n        runs\n      }\n    }\n    savings(span: { window: DAY }) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n": types.TodayDocument,
    "\n  query Forecasts {\n    budgets {\n      id\n      forecast {\n        expected\n        low\n        high\n        exhaustedAt\n        earliest\n        latest\n        pastDays\n      }\n    }\n  }\n": types.ForecastsDocument,
    "\n  query InFlight {\n    runs(first: 50, filter: { status: RUNNING }) {\n      edges {\n        node {\n          id\n          startedAt\n          cost\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          attempts {\n            id\n            status\n            held\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n": types.InFlightDocument,
    "\n  mutation CancelRun($id: ID!) {\n    cancelRun(id: $id) {\n      __typename\n      ... on Refusal {\n        message\n      }\n    }\n  }\n": types.CancelRunDocument,
    "\n  query Switches {\n    spendSwitches {\n      scope\n      paused\n      reason\n      by\n      since\n    }\n  }\n": types.SwitchesDocument,
    "\n  mutation PauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      paused\n    }\n  }\n": types.PauseSpendingDocument,
    "\n  mutation ResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      paused\n    }\n  }\n": types.ResumeSpendingDocument,
    "\n  query PausableScopes {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n": types.PausableScopesDocument,
    "\n  query RecentAlerts {\n    alerts(first: 60) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n": types.RecentAlertsDocument,
    "\n  subscription AlertRaised {\n    alerts {\n      id\n    }\n  }\n": types.AlertRaisedDocument,
    "\n  query ProviderHealth {\n    providers {\n      id\n      name\n      available\n      unavailable\n      models {\n        key\n        model\n        circuit\n        circuitRetryAfterMs\n        inFlight\n        queued\n        latencyMs\n        latencyP95Ms\n        requestHeadroom\n        tokenHeadroom\n        rateClosedForMs\n      }\n    }\n  }\n": types.ProviderHealthDocument,
    "\n  mutation ResetCircuit($provider: ID!) {\n    resetCircuit(provider: $provider) {\n      id\n    }\n  }\n": types.ResetCircuitDocument,
    "\n  query Keys {\n    apiKeys {\n      id\n      caller\n      team\n      tier\n      hint\n      scopes\n      tags {\n        key\n        value\n      }\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n      requestsPerMinute\n    }\n  }\n": types.KeysDocument,
    "\n  mutation CreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n        caller\n      }\n    }\n  }\n": types.CreateKeyDocument,
    "\n  mutation RevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n": types.RevokeKeyDocument,
    "\n  query Unreconciled {\n    unreconciled {\n      id\n      step\n      model\n      startedAt\n      held\n      inputTokens\n      provider {\n        name\n      }\n    }\n  }\n": types.UnreconciledDocument,
    "\n  mutation Reconcile($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      id\n      cost\n    }\n  }\n": types.ReconcileDocument,
    "\n  query AlertList($after: String) {\n    alerts(first: 50, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n": types.AlertListDocument,
    "\n  query Revisions($after: String) {\n    revisions(first: 30, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          hash\n          commit\n          subject\n          author\n          dirty\n          source\n          compiledAt\n          activeFrom\n          activeTo\n          active\n          pinned\n          problems {\n            code\n            severity\n            file\n            line\n            column\n            message\n            remedy\n            excerpt\n          }\n        }\n      }\n    }\n    costStats(window: ALL, by: [REVISION]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": types.RevisionsDocument,
    "\n  subscription RevisionTaken {\n    revisions {\n      hash\n    }\n  }\n": types.RevisionTakenDocument,
    "\n  query Difference($before: String!, $after: String!) {\n    planDifference(before: $before, after: $after) {\n      changes {\n        subject\n        message\n        effects\n      }\n      worstCosts {\n        task\n        before\n        after\n      }\n    }\n  }\n": types.DifferenceDocument,
    "\n  mutation PinRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n    }\n  }\n": types.PinRevisionDocument,
    "\n  mutation ReleaseRevision {\n    releaseRevision {\n      hash\n    }\n  }\n": types.ReleaseRevisionDocument,
    "\n  query Runs($filter: RunFilter, $after: String) {\n    runs(first: 50, after: $after, filter: $filter) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          status\n          startedAt\n          latencyMs\n          cost\n          saved\n          cached\n          origin\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          error {\n            code\n          }\n          attempts {\n            id\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n": types.RunsDocument,
    "\n  query OneRun($id: ID!) {\n    run(id: $id) {\n      id\n      status\n      startedAt\n      finishedAt\n      latencyMs\n      cost\n      saved\n      cached\n      origin\n      idempotencyKey\n      inputJson\n      outputJson\n      tags {\n        key\n        value\n      }\n      task {\n        name\n        active\n        file\n      }\n      caller {\n        name\n        team\n        tier\n      }\n      parent {\n        id\n      }\n      revision {\n        hash\n        commit\n        subject\n        author\n      }\n      error {\n        code\n        message\n        remedy\n        step\n      }\n      steps {\n        key\n        kind\n        status\n        startedAt\n        finishedAt\n        outputJson\n        error {\n          code\n          message\n        }\n      }\n      attempts {\n        id\n        step\n        status\n        model\n        requestedModel\n        provider {\n          name\n        }\n        startedAt\n        finishedAt\n        queueMs\n        firstTokenMs\n        latencyMs\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        reasoningTokens\n        cost\n        held\n        saved\n        estimated\n        errorClass\n        errorMessage\n        requestId\n        decision {\n          rule\n          pick\n          candidates {\n            model\n            chosen\n            score\n            expectedCost\n            skipped {\n              code\n              detail\n            }\n          }\n        }\n      }\n    }\n  }\n": types.OneRunDocument,
    "\n  subscription RunEvents($id: ID!) {\n    run(id: $id) {\n      __typename\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n        reason\n      }\n    }\n  }\n": types.RunEventsDocument,
    "\n  mutation RunAgain($name: String!, $input: JSON!, $options: RunOptions) {\n    runTaskJson(name: $name, input: $input, options: $options) {\n      __typename\n      ... on Run {\n        id\n      }\n      ... on DryRun {\n        hold\n        steps {\n          step\n          hold\n          decision {\n            candidates {\n              model\n              chosen\n              skipped {\n                code\n              }\n            }\n          }\n        }\n      }\n      ... on Refusal {\n        message\n        remedy\n      }\n    }\n  }\n": types.RunAgainDocument,
    "\n  query Tasks {\n    taskTypes {\n      id\n      name\n      description\n      deprecated\n      file\n      worstCase\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    costStats(window: MONTH, by: [TASK]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n": types.TasksDocument,
    "\n  query OneTask($name: String!) {\n    taskType(name: $name) {\n      id\n      name\n      description\n      file\n      plan\n      worstCase\n      revision\n      inputSchema\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    viewer {\n      scopes\n    }\n  }\n": types.OneTaskDocument,
    "\n  subscription TryTask($name: String!, $input: JSON!) {\n    streamTaskJson(name: $name, input: $input) {\n      __typename\n      runId\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n      }\n      ... on RunSettled {\n        attempt {\n          model\n          cost\n        }\n      }\n      ... on RunFinished {\n        result {\n          __typename\n          ... on Run {\n            id\n            status\n            cost\n            latencyMs\n            outputJson\n            error {\n              code\n              message\n              remedy\n            }\n          }\n          ... on Refusal {\n            code\n            message\n            remedy\n          }\n          ... on InvalidInput {\n            problems {\n              path\n              message\n            }\n          }\n        }\n      }\n    }\n  }\n": types.TryTaskDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Viewer {\n    viewer {\n      name\n      keyId\n      scopes\n      pinnedRevision {\n        hash\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ViewerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ExploreSpend(\n    $span: SpanInput!\n    $by: [StatsDimension!]\n    $filter: SpendFilter\n    $every: CalendarUnit\n    $tagKey: String\n  ) {\n    spend(span: $span, by: $by, filter: $filter, every: $every, tagKey: $tagKey) {\n      from\n      to\n      complete\n      total {\n        cost\n        estimated\n        runs\n        cachedRuns\n        attempts\n        errors\n        errorRate\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n      series {\n        from\n        bucket {\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          cost\n          runs\n          attempts\n          errorRate\n          inputTokens\n          outputTokens\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ExploreSpendDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SavingsOf($span: SpanInput!, $filter: SpendFilter) {\n    savings(span: $span, filter: $filter) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SavingsOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription SpendNow {\n    costStats(window: HOUR, by: [TASK], everyMs: 1000) {\n      at\n      total {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        errorRate\n        latencyP50Ms\n        latencyP95Ms\n        perMinute {\n          at\n          cost\n          runs\n        }\n      }\n      groups {\n        key\n        bucket {\n          cost\n          runs\n        }\n      }\n      budgets {\n        id\n        name\n        account\n        scope\n        unit\n        limit\n        spent\n        held\n        per\n        then\n        resetsAt\n        windowStartedAt\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SpendNowDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Today {\n    pace {\n      perMinute\n      usualPerMinute\n      weeks\n    }\n    spend(span: { window: DAY }) {\n      total {\n        cost\n        runs\n      }\n    }\n    savings(span: { window: DAY }) {\n      total {\n        net\n        cost\n        baselineCost\n        byCause {\n          cause\n          amount\n          estimated\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').TodayDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Forecasts {\n    budgets {\n      id\n      forecast {\n        expected\n        low\n        high\n        exhaustedAt\n        earliest\n        latest\n        pastDays\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ForecastsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query InFlight {\n    runs(first: 50, filter: { status: RUNNING }) {\n      edges {\n        node {\n          id\n          startedAt\n          cost\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          attempts {\n            id\n            status\n            held\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').InFlightDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CancelRun($id: ID!) {\n    cancelRun(id: $id) {\n      __typename\n      ... on Refusal {\n        message\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CancelRunDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Switches {\n    spendSwitches {\n      scope\n      paused\n      reason\n      by\n      since\n    }\n  }\n"): typeof import('./graphql.ts').SwitchesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation PauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      paused\n    }\n  }\n"): typeof import('./graphql.ts').PauseSpendingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      paused\n    }\n  }\n"): typeof import('./graphql.ts').ResumeSpendingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query PausableScopes {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n"): typeof import('./graphql.ts').PausableScopesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query RecentAlerts {\n    alerts(first: 60) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RecentAlertsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription AlertRaised {\n    alerts {\n      id\n    }\n  }\n"): typeof import('./graphql.ts').AlertRaisedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ProviderHealth {\n    providers {\n      id\n      name\n      available\n      unavailable\n      models {\n        key\n        model\n        circuit\n        circuitRetryAfterMs\n        inFlight\n        queued\n        latencyMs\n        latencyP95Ms\n        requestHeadroom\n        tokenHeadroom\n        rateClosedForMs\n      }\n    }\n  }\n"): typeof import('./graphql.ts').ProviderHealthDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ResetCircuit($provider: ID!) {\n    resetCircuit(provider: $provider) {\n      id\n    }\n  }\n"): typeof import('./graphql.ts').ResetCircuitDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Keys {\n    apiKeys {\n      id\n      caller\n      team\n      tier\n      hint\n      scopes\n      tags {\n        key\n        value\n      }\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n      requestsPerMinute\n    }\n  }\n"): typeof import('./graphql.ts').KeysDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n        caller\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CreateKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n"): typeof import('./graphql.ts').RevokeKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Unreconciled {\n    unreconciled {\n      id\n      step\n      model\n      startedAt\n      held\n      inputTokens\n      provider {\n        name\n      }\n    }\n  }\n"): typeof import('./graphql.ts').UnreconciledDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Reconcile($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      id\n      cost\n    }\n  }\n"): typeof import('./graphql.ts').ReconcileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query AlertList($after: String) {\n    alerts(first: 50, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          run {\n            id\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').AlertListDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Revisions($after: String) {\n    revisions(first: 30, after: $after) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          hash\n          commit\n          subject\n          author\n          dirty\n          source\n          compiledAt\n          activeFrom\n          activeTo\n          active\n          pinned\n          problems {\n            code\n            severity\n            file\n            line\n            column\n            message\n            remedy\n            excerpt\n          }\n        }\n      }\n    }\n    costStats(window: ALL, by: [REVISION]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP95Ms\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RevisionsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription RevisionTaken {\n    revisions {\n      hash\n    }\n  }\n"): typeof import('./graphql.ts').RevisionTakenDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Difference($before: String!, $after: String!) {\n    planDifference(before: $before, after: $after) {\n      changes {\n        subject\n        message\n        effects\n      }\n      worstCosts {\n        task\n        before\n        after\n      }\n    }\n  }\n"): typeof import('./graphql.ts').DifferenceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation PinRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n    }\n  }\n"): typeof import('./graphql.ts').PinRevisionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReleaseRevision {\n    releaseRevision {\n      hash\n    }\n  }\n"): typeof import('./graphql.ts').ReleaseRevisionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Runs($filter: RunFilter, $after: String) {\n    runs(first: 50, after: $after, filter: $filter) {\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        node {\n          id\n          status\n          startedAt\n          latencyMs\n          cost\n          saved\n          cached\n          origin\n          task {\n            name\n          }\n          caller {\n            name\n          }\n          error {\n            code\n          }\n          attempts {\n            id\n            model\n            provider {\n              name\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RunsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OneRun($id: ID!) {\n    run(id: $id) {\n      id\n      status\n      startedAt\n      finishedAt\n      latencyMs\n      cost\n      saved\n      cached\n      origin\n      idempotencyKey\n      inputJson\n      outputJson\n      tags {\n        key\n        value\n      }\n      task {\n        name\n        active\n        file\n      }\n      caller {\n        name\n        team\n        tier\n      }\n      parent {\n        id\n      }\n      revision {\n        hash\n        commit\n        subject\n        author\n      }\n      error {\n        code\n        message\n        remedy\n        step\n      }\n      steps {\n        key\n        kind\n        status\n        startedAt\n        finishedAt\n        outputJson\n        error {\n          code\n          message\n        }\n      }\n      attempts {\n        id\n        step\n        status\n        model\n        requestedModel\n        provider {\n          name\n        }\n        startedAt\n        finishedAt\n        queueMs\n        firstTokenMs\n        latencyMs\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        reasoningTokens\n        cost\n        held\n        saved\n        estimated\n        errorClass\n        errorMessage\n        requestId\n        decision {\n          rule\n          pick\n          candidates {\n            model\n            chosen\n            score\n            expectedCost\n            skipped {\n              code\n              detail\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').OneRunDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription RunEvents($id: ID!) {\n    run(id: $id) {\n      __typename\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n        reason\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RunEventsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RunAgain($name: String!, $input: JSON!, $options: RunOptions) {\n    runTaskJson(name: $name, input: $input, options: $options) {\n      __typename\n      ... on Run {\n        id\n      }\n      ... on DryRun {\n        hold\n        steps {\n          step\n          hold\n          decision {\n            candidates {\n              model\n              chosen\n              skipped {\n                code\n              }\n            }\n          }\n        }\n      }\n      ... on Refusal {\n        message\n        remedy\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RunAgainDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Tasks {\n    taskTypes {\n      id\n      name\n      description\n      deprecated\n      file\n      worstCase\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    costStats(window: MONTH, by: [TASK]) {\n      groups {\n        key\n        bucket {\n          cost\n          runs\n          errorRate\n          latencyP50Ms\n          latencyP95Ms\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').TasksDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OneTask($name: String!) {\n    taskType(name: $name) {\n      id\n      name\n      description\n      file\n      plan\n      worstCase\n      revision\n      inputSchema\n      steps {\n        key\n        kind\n        after\n        route\n      }\n    }\n    viewer {\n      scopes\n    }\n  }\n"): typeof import('./graphql.ts').OneTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription TryTask($name: String!, $input: JSON!) {\n    streamTaskJson(name: $name, input: $input) {\n      __typename\n      runId\n      ... on RunText {\n        path\n        delta\n      }\n      ... on RunTextRestarted {\n        path\n      }\n      ... on RunSettled {\n        attempt {\n          model\n          cost\n        }\n      }\n      ... on RunFinished {\n        result {\n          __typename\n          ... on Run {\n            id\n            status\n            cost\n            latencyMs\n            outputJson\n            error {\n              code\n              message\n              remedy\n            }\n          }\n          ... on Refusal {\n            code\n            message\n            remedy\n          }\n          ... on InvalidInput {\n            problems {\n              path\n              message\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').TryTaskDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
