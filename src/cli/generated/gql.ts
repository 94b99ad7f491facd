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
    "\n  mutation CliRunTask($task: TaskInput!, $options: RunOptions) {\n    runTask(task: $task, options: $options) {\n      __typename\n      ... on Run {\n        id\n        status\n        task {\n          name\n        }\n        revision {\n          hash\n        }\n        outputJson\n        error {\n          code\n          message\n          remedy\n          step\n        }\n        cost\n        saved\n        cached\n        latencyMs\n        attempts {\n          provider {\n            name\n          }\n          model\n          requestedModel\n          step\n          status\n          errorClass\n          inputTokens\n          cachedInputTokens\n          outputTokens\n          reasoningTokens\n          cost\n          latencyMs\n          firstTokenMs\n        }\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          code\n          message\n        }\n      }\n    }\n  }\n": typeof types.CliRunTaskDocument,
    "\n  query CliTaskInputs {\n    viewer {\n      name\n    }\n    taskTypes {\n      name\n      field\n      inputSchema\n    }\n  }\n": typeof types.CliTaskInputsDocument,
    "\n  mutation CliActivateRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n": typeof types.CliActivateRevisionDocument,
    "\n  mutation CliReleaseRevision {\n    releaseRevision {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n": typeof types.CliReleaseRevisionDocument,
    "\n  mutation CliCreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n      }\n    }\n  }\n": typeof types.CliCreateKeyDocument,
    "\n  query CliTaskNames {\n    taskTypes {\n      name\n    }\n  }\n": typeof types.CliTaskNamesDocument,
    "\n  query CliListKeys {\n    apiKeys {\n      id\n      hint\n      caller\n      team\n      tier\n      tags {\n        key\n        value\n      }\n      scopes\n      createdAt\n      expiresAt\n      revokedAt\n      lastUsedAt\n      requestsPerMinute\n      maxBodyBytes\n    }\n  }\n": typeof types.CliListKeysDocument,
    "\n  mutation CliRevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n": typeof types.CliRevokeKeyDocument,
    "\n  query CliUnreconciled {\n    unreconciled {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      held\n    }\n  }\n": typeof types.CliUnreconciledDocument,
    "\n  query CliEstimates($first: Int!) {\n    estimates(first: $first) {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      status\n      errorClass\n      cost\n      notes {\n        code\n      }\n    }\n  }\n": typeof types.CliEstimatesDocument,
    "\n  mutation CliReconcileAttempt($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      cost\n    }\n  }\n": typeof types.CliReconcileAttemptDocument,
    "\n  mutation CliAdjustLedger($input: AdjustLedgerInput!) {\n    adjustLedger(input: $input) {\n      id\n      cost\n    }\n  }\n": typeof types.CliAdjustLedgerDocument,
    "\n  query CliStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter) {\n      ...CliStatsFields\n    }\n  }\n": typeof types.CliStatsDocument,
    "\n  subscription CliWatchStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter, everyMs: 1000) {\n      ...CliStatsFields\n    }\n  }\n": typeof types.CliWatchStatsDocument,
    "\n  fragment CliStatsFields on CostStats {\n    at\n    total {\n      cost\n      saved\n      runs\n      attempts\n      errors\n      inputTokens\n      cachedInputTokens\n      outputTokens\n      latencyP50Ms\n      latencyP95Ms\n    }\n    groups {\n      keys {\n        dimension\n        value\n      }\n      bucket {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n": typeof types.CliStatsFieldsFragmentDoc,
    "\n  query CliWhyRun($id: ID!) {\n    run(id: $id) {\n      story {\n        text\n        attempts {\n          step\n          model\n          outcome\n          rule\n          held\n          cost\n          saved\n          latencyMs\n        }\n      }\n    }\n  }\n": typeof types.CliWhyRunDocument,
    "\n  query CliSavings($span: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    savings(span: $span, by: $by, tagKey: $tagKey) {\n      from\n      to\n      total {\n        ...CliSavingsSum\n      }\n      groups {\n        key\n        savings {\n          ...CliSavingsSum\n        }\n      }\n    }\n  }\n": typeof types.CliSavingsDocument,
    "\n  fragment CliSavingsSum on SavingsSum {\n    cost\n    net\n    baselineCost\n    withoutBaseline\n    byCause {\n      cause\n      amount\n      estimated\n    }\n  }\n": typeof types.CliSavingsSumFragmentDoc,
    "\n  query CliWhyCost($from: SpanInput, $to: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    costChange(from: $from, to: $to, by: $by, tagKey: $tagKey) {\n      from {\n        from\n        to\n      }\n      to {\n        from\n        to\n      }\n      fromCost\n      toCost\n      change\n      byCause {\n        cause\n        amount\n      }\n      byRevision {\n        amount\n        revision {\n          hash\n          commit\n          author\n          subject\n          dirty\n        }\n        before {\n          commit\n          dirty\n        }\n        byCause {\n          cause\n          amount\n        }\n        changes\n        lines {\n          file\n          line\n          before\n          after\n          commit\n          author\n          subject\n        }\n      }\n      groups {\n        key\n        change\n        byCause {\n          cause\n          amount\n        }\n      }\n    }\n  }\n": typeof types.CliWhyCostDocument,
    "\n  query CliBudgets {\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n      forecast {\n        endsAt\n        exhaustedAt\n        earliest\n        latest\n        expected\n        low\n        high\n        pastDays\n      }\n    }\n  }\n": typeof types.CliBudgetsDocument,
    "\n  query CliListAlerts($first: Int!) {\n    alerts(first: $first) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          details\n        }\n      }\n    }\n  }\n": typeof types.CliListAlertsDocument,
    "\n  mutation CliTestAlerts {\n    testAlerts {\n      name\n      kind\n      failure\n    }\n  }\n": typeof types.CliTestAlertsDocument,
    "\n  query CliTraffic($from: DateTime!, $to: DateTime!, $last: Int!, $before: String) {\n    runs(filter: { startedFrom: $from, startedTo: $to }, last: $last, before: $before) {\n      pageInfo {\n        hasPreviousPage\n        startCursor\n      }\n      edges {\n        node {\n          id\n          parent {\n            id\n          }\n          task {\n            name\n          }\n          caller {\n            name\n            team\n            tier\n          }\n          tags {\n            key\n            value\n          }\n          inputHash\n          status\n          error {\n            code\n          }\n          cached\n          startedAt\n          finishedAt\n          latencyMs\n          steps {\n            key\n            kind\n            status\n          }\n          attempts {\n            step\n            provider {\n              name\n            }\n            requestedModel\n            status\n            errorClass\n            inputTokens\n            cachedInputTokens\n            cacheWriteTokens\n            outputTokens\n            reasoningTokens\n            cost\n            heldTokens\n            rates\n            latencyMs\n            firstTokenMs\n            decision {\n              rule\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.CliTrafficDocument,
    "\n  mutation CliAskAgain($name: String!, $input: JSON!, $key: String!) {\n    runTaskJson(name: $name, input: $input, options: { idempotencyKey: $key }) {\n      __typename\n      ... on Run {\n        status\n      }\n    }\n  }\n": typeof types.CliAskAgainDocument,
    "\n  query CliClusterNodes {\n    nodes {\n      place\n    }\n  }\n": typeof types.CliClusterNodesDocument,
    "\n  query CliNamesToPause {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n": typeof types.CliNamesToPauseDocument,
    "\n  mutation CliPauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n": typeof types.CliPauseSpendingDocument,
    "\n  mutation CliResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n": typeof types.CliResumeSpendingDocument,
    "\n  query CliWhatIsPaused($all: Boolean!) {\n    spendSwitches @include(if: $all) {\n      scope\n      reason\n      by\n      since\n    }\n    viewer {\n      scopes\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n  }\n": typeof types.CliWhatIsPausedDocument,
    "\n  query CliListRuns($first: Int!, $after: String, $filter: RunFilter) {\n    runs(first: $first, after: $after, filter: $filter) {\n      edges {\n        node {\n          id\n          startedAt\n          task {\n            name\n          }\n          status\n          caller {\n            name\n            team\n          }\n          tags {\n            key\n            value\n          }\n          cost\n          saved\n          cached\n          latencyMs\n          error {\n            code\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": typeof types.CliListRunsDocument,
    "\n  query CliSpend($span: SpanInput!, $by: [StatsDimension!], $tagKey: String, $filter: SpendFilter) {\n    spend(span: $span, by: $by, tagKey: $tagKey, filter: $filter) {\n      from\n      to\n      complete\n      total {\n        ...CliSpendBucket\n      }\n      groups {\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          ...CliSpendBucket\n        }\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n": typeof types.CliSpendDocument,
    "\n  fragment CliSpendBucket on CostBucket {\n    cost\n    saved\n    runs\n    attempts\n    errors\n    inputTokens\n    cachedInputTokens\n    outputTokens\n    latencyP50Ms\n    latencyP95Ms\n  }\n": typeof types.CliSpendBucketFragmentDoc,
    "\n  query CliTop {\n    pace {\n      perMinute\n      usualPerMinute\n    }\n    spend(span: { window: HOUR }) {\n      total {\n        cost\n        runs\n        errors\n      }\n    }\n    viewer {\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n    }\n    providers {\n      name\n      available\n      unavailable\n      models {\n        key\n        circuit\n        inFlight\n        queued\n        latencyMs\n        requestHeadroom\n        tokenHeadroom\n      }\n    }\n  }\n": typeof types.CliTopDocument,
    "\n  query CliDearestRuns($first: Int!, $filter: RunFilter!) {\n    runs(first: $first, filter: $filter) {\n      edges {\n        node {\n          id\n          task {\n            name\n          }\n          status\n          caller {\n            name\n          }\n          cost\n          latencyMs\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n": typeof types.CliDearestRunsDocument,
};
const documents: Documents = {
    "\n  mutation CliRunTask($task: TaskInput!, $options: RunOptions) {\n    runTask(task: $task, options: $options) {\n      __typename\n      ... on Run {\n        id\n        status\n        task {\n          name\n        }\n        revision {\n          hash\n        }\n        outputJson\n        error {\n          code\n          message\n          remedy\n          step\n        }\n        cost\n        saved\n        cached\n        latencyMs\n        attempts {\n          provider {\n            name\n          }\n          model\n          requestedModel\n          step\n          status\n          errorClass\n          inputTokens\n          cachedInputTokens\n          outputTokens\n          reasoningTokens\n          cost\n          latencyMs\n          firstTokenMs\n        }\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          code\n          message\n        }\n      }\n    }\n  }\n": types.CliRunTaskDocument,
    "\n  query CliTaskInputs {\n    viewer {\n      name\n    }\n    taskTypes {\n      name\n      field\n      inputSchema\n    }\n  }\n": types.CliTaskInputsDocument,
    "\n  mutation CliActivateRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n": types.CliActivateRevisionDocument,
    "\n  mutation CliReleaseRevision {\n    releaseRevision {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n": types.CliReleaseRevisionDocument,
    "\n  mutation CliCreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n      }\n    }\n  }\n": types.CliCreateKeyDocument,
    "\n  query CliTaskNames {\n    taskTypes {\n      name\n    }\n  }\n": types.CliTaskNamesDocument,
    "\n  query CliListKeys {\n    apiKeys {\n      id\n      hint\n      caller\n      team\n      tier\n      tags {\n        key\n        value\n      }\n      scopes\n      createdAt\n      expiresAt\n      revokedAt\n      lastUsedAt\n      requestsPerMinute\n      maxBodyBytes\n    }\n  }\n": types.CliListKeysDocument,
    "\n  mutation CliRevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n": types.CliRevokeKeyDocument,
    "\n  query CliUnreconciled {\n    unreconciled {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      held\n    }\n  }\n": types.CliUnreconciledDocument,
    "\n  query CliEstimates($first: Int!) {\n    estimates(first: $first) {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      status\n      errorClass\n      cost\n      notes {\n        code\n      }\n    }\n  }\n": types.CliEstimatesDocument,
    "\n  mutation CliReconcileAttempt($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      cost\n    }\n  }\n": types.CliReconcileAttemptDocument,
    "\n  mutation CliAdjustLedger($input: AdjustLedgerInput!) {\n    adjustLedger(input: $input) {\n      id\n      cost\n    }\n  }\n": types.CliAdjustLedgerDocument,
    "\n  query CliStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter) {\n      ...CliStatsFields\n    }\n  }\n": types.CliStatsDocument,
    "\n  subscription CliWatchStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter, everyMs: 1000) {\n      ...CliStatsFields\n    }\n  }\n": types.CliWatchStatsDocument,
    "\n  fragment CliStatsFields on CostStats {\n    at\n    total {\n      cost\n      saved\n      runs\n      attempts\n      errors\n      inputTokens\n      cachedInputTokens\n      outputTokens\n      latencyP50Ms\n      latencyP95Ms\n    }\n    groups {\n      keys {\n        dimension\n        value\n      }\n      bucket {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n": types.CliStatsFieldsFragmentDoc,
    "\n  query CliWhyRun($id: ID!) {\n    run(id: $id) {\n      story {\n        text\n        attempts {\n          step\n          model\n          outcome\n          rule\n          held\n          cost\n          saved\n          latencyMs\n        }\n      }\n    }\n  }\n": types.CliWhyRunDocument,
    "\n  query CliSavings($span: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    savings(span: $span, by: $by, tagKey: $tagKey) {\n      from\n      to\n      total {\n        ...CliSavingsSum\n      }\n      groups {\n        key\n        savings {\n          ...CliSavingsSum\n        }\n      }\n    }\n  }\n": types.CliSavingsDocument,
    "\n  fragment CliSavingsSum on SavingsSum {\n    cost\n    net\n    baselineCost\n    withoutBaseline\n    byCause {\n      cause\n      amount\n      estimated\n    }\n  }\n": types.CliSavingsSumFragmentDoc,
    "\n  query CliWhyCost($from: SpanInput, $to: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    costChange(from: $from, to: $to, by: $by, tagKey: $tagKey) {\n      from {\n        from\n        to\n      }\n      to {\n        from\n        to\n      }\n      fromCost\n      toCost\n      change\n      byCause {\n        cause\n        amount\n      }\n      byRevision {\n        amount\n        revision {\n          hash\n          commit\n          author\n          subject\n          dirty\n        }\n        before {\n          commit\n          dirty\n        }\n        byCause {\n          cause\n          amount\n        }\n        changes\n        lines {\n          file\n          line\n          before\n          after\n          commit\n          author\n          subject\n        }\n      }\n      groups {\n        key\n        change\n        byCause {\n          cause\n          amount\n        }\n      }\n    }\n  }\n": types.CliWhyCostDocument,
    "\n  query CliBudgets {\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n      forecast {\n        endsAt\n        exhaustedAt\n        earliest\n        latest\n        expected\n        low\n        high\n        pastDays\n      }\n    }\n  }\n": types.CliBudgetsDocument,
    "\n  query CliListAlerts($first: Int!) {\n    alerts(first: $first) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          details\n        }\n      }\n    }\n  }\n": types.CliListAlertsDocument,
    "\n  mutation CliTestAlerts {\n    testAlerts {\n      name\n      kind\n      failure\n    }\n  }\n": types.CliTestAlertsDocument,
    "\n  query CliTraffic($from: DateTime!, $to: DateTime!, $last: Int!, $before: String) {\n    runs(filter: { startedFrom: $from, startedTo: $to }, last: $last, before: $before) {\n      pageInfo {\n        hasPreviousPage\n        startCursor\n      }\n      edges {\n        node {\n          id\n          parent {\n            id\n          }\n          task {\n            name\n          }\n          caller {\n            name\n            team\n            tier\n          }\n          tags {\n            key\n            value\n          }\n          inputHash\n          status\n          error {\n            code\n          }\n          cached\n          startedAt\n          finishedAt\n          latencyMs\n          steps {\n            key\n            kind\n            status\n          }\n          attempts {\n            step\n            provider {\n              name\n            }\n            requestedModel\n            status\n            errorClass\n            inputTokens\n            cachedInputTokens\n            cacheWriteTokens\n            outputTokens\n            reasoningTokens\n            cost\n            heldTokens\n            rates\n            latencyMs\n            firstTokenMs\n            decision {\n              rule\n            }\n          }\n        }\n      }\n    }\n  }\n": types.CliTrafficDocument,
    "\n  mutation CliAskAgain($name: String!, $input: JSON!, $key: String!) {\n    runTaskJson(name: $name, input: $input, options: { idempotencyKey: $key }) {\n      __typename\n      ... on Run {\n        status\n      }\n    }\n  }\n": types.CliAskAgainDocument,
    "\n  query CliClusterNodes {\n    nodes {\n      place\n    }\n  }\n": types.CliClusterNodesDocument,
    "\n  query CliNamesToPause {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n": types.CliNamesToPauseDocument,
    "\n  mutation CliPauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n": types.CliPauseSpendingDocument,
    "\n  mutation CliResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n": types.CliResumeSpendingDocument,
    "\n  query CliWhatIsPaused($all: Boolean!) {\n    spendSwitches @include(if: $all) {\n      scope\n      reason\n      by\n      since\n    }\n    viewer {\n      scopes\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n  }\n": types.CliWhatIsPausedDocument,
    "\n  query CliListRuns($first: Int!, $after: String, $filter: RunFilter) {\n    runs(first: $first, after: $after, filter: $filter) {\n      edges {\n        node {\n          id\n          startedAt\n          task {\n            name\n          }\n          status\n          caller {\n            name\n            team\n          }\n          tags {\n            key\n            value\n          }\n          cost\n          saved\n          cached\n          latencyMs\n          error {\n            code\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": types.CliListRunsDocument,
    "\n  query CliSpend($span: SpanInput!, $by: [StatsDimension!], $tagKey: String, $filter: SpendFilter) {\n    spend(span: $span, by: $by, tagKey: $tagKey, filter: $filter) {\n      from\n      to\n      complete\n      total {\n        ...CliSpendBucket\n      }\n      groups {\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          ...CliSpendBucket\n        }\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n": types.CliSpendDocument,
    "\n  fragment CliSpendBucket on CostBucket {\n    cost\n    saved\n    runs\n    attempts\n    errors\n    inputTokens\n    cachedInputTokens\n    outputTokens\n    latencyP50Ms\n    latencyP95Ms\n  }\n": types.CliSpendBucketFragmentDoc,
    "\n  query CliTop {\n    pace {\n      perMinute\n      usualPerMinute\n    }\n    spend(span: { window: HOUR }) {\n      total {\n        cost\n        runs\n        errors\n      }\n    }\n    viewer {\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n    }\n    providers {\n      name\n      available\n      unavailable\n      models {\n        key\n        circuit\n        inFlight\n        queued\n        latencyMs\n        requestHeadroom\n        tokenHeadroom\n      }\n    }\n  }\n": types.CliTopDocument,
    "\n  query CliDearestRuns($first: Int!, $filter: RunFilter!) {\n    runs(first: $first, filter: $filter) {\n      edges {\n        node {\n          id\n          task {\n            name\n          }\n          status\n          caller {\n            name\n          }\n          cost\n          latencyMs\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n": types.CliDearestRunsDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliRunTask($task: TaskInput!, $options: RunOptions) {\n    runTask(task: $task, options: $options) {\n      __typename\n      ... on Run {\n        id\n        status\n        task {\n          name\n        }\n        revision {\n          hash\n        }\n        outputJson\n        error {\n          code\n          message\n          remedy\n          step\n        }\n        cost\n        saved\n        cached\n        latencyMs\n        attempts {\n          provider {\n            name\n          }\n          model\n          requestedModel\n          step\n          status\n          errorClass\n          inputTokens\n          cachedInputTokens\n          outputTokens\n          reasoningTokens\n          cost\n          latencyMs\n          firstTokenMs\n        }\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          code\n          message\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliRunTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliTaskInputs {\n    viewer {\n      name\n    }\n    taskTypes {\n      name\n      field\n      inputSchema\n    }\n  }\n"): typeof import('./graphql.ts').CliTaskInputsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliActivateRevision($hash: ID!) {\n    activateRevision(hash: $hash) {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n"): typeof import('./graphql.ts').CliActivateRevisionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliReleaseRevision {\n    releaseRevision {\n      hash\n      commit\n      subject\n      pinned\n    }\n  }\n"): typeof import('./graphql.ts').CliReleaseRevisionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliCreateKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) {\n      secret\n      apiKey {\n        id\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliCreateKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliTaskNames {\n    taskTypes {\n      name\n    }\n  }\n"): typeof import('./graphql.ts').CliTaskNamesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliListKeys {\n    apiKeys {\n      id\n      hint\n      caller\n      team\n      tier\n      tags {\n        key\n        value\n      }\n      scopes\n      createdAt\n      expiresAt\n      revokedAt\n      lastUsedAt\n      requestsPerMinute\n      maxBodyBytes\n    }\n  }\n"): typeof import('./graphql.ts').CliListKeysDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliRevokeKey($id: ID!) {\n    revokeApiKey(id: $id) {\n      id\n      revokedAt\n    }\n  }\n"): typeof import('./graphql.ts').CliRevokeKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliUnreconciled {\n    unreconciled {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      held\n    }\n  }\n"): typeof import('./graphql.ts').CliUnreconciledDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliEstimates($first: Int!) {\n    estimates(first: $first) {\n      id\n      provider {\n        name\n      }\n      requestedModel\n      startedAt\n      status\n      errorClass\n      cost\n      notes {\n        code\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliEstimatesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliReconcileAttempt($id: ID!, $verdict: ReconcileVerdict!, $cost: USD) {\n    reconcileAttempt(id: $id, verdict: $verdict, cost: $cost) {\n      cost\n    }\n  }\n"): typeof import('./graphql.ts').CliReconcileAttemptDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliAdjustLedger($input: AdjustLedgerInput!) {\n    adjustLedger(input: $input) {\n      id\n      cost\n    }\n  }\n"): typeof import('./graphql.ts').CliAdjustLedgerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter) {\n      ...CliStatsFields\n    }\n  }\n"): typeof import('./graphql.ts').CliStatsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription CliWatchStats($window: StatsWindow!, $by: [StatsDimension!], $filter: RunFilter) {\n    costStats(window: $window, by: $by, filter: $filter, everyMs: 1000) {\n      ...CliStatsFields\n    }\n  }\n"): typeof import('./graphql.ts').CliWatchStatsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CliStatsFields on CostStats {\n    at\n    total {\n      cost\n      saved\n      runs\n      attempts\n      errors\n      inputTokens\n      cachedInputTokens\n      outputTokens\n      latencyP50Ms\n      latencyP95Ms\n    }\n    groups {\n      keys {\n        dimension\n        value\n      }\n      bucket {\n        cost\n        saved\n        runs\n        attempts\n        errors\n        inputTokens\n        cachedInputTokens\n        outputTokens\n        latencyP50Ms\n        latencyP95Ms\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n"): typeof import('./graphql.ts').CliStatsFieldsFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliWhyRun($id: ID!) {\n    run(id: $id) {\n      story {\n        text\n        attempts {\n          step\n          model\n          outcome\n          rule\n          held\n          cost\n          saved\n          latencyMs\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliWhyRunDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliSavings($span: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    savings(span: $span, by: $by, tagKey: $tagKey) {\n      from\n      to\n      total {\n        ...CliSavingsSum\n      }\n      groups {\n        key\n        savings {\n          ...CliSavingsSum\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliSavingsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CliSavingsSum on SavingsSum {\n    cost\n    net\n    baselineCost\n    withoutBaseline\n    byCause {\n      cause\n      amount\n      estimated\n    }\n  }\n"): typeof import('./graphql.ts').CliSavingsSumFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliWhyCost($from: SpanInput, $to: SpanInput!, $by: [StatsDimension!], $tagKey: String) {\n    costChange(from: $from, to: $to, by: $by, tagKey: $tagKey) {\n      from {\n        from\n        to\n      }\n      to {\n        from\n        to\n      }\n      fromCost\n      toCost\n      change\n      byCause {\n        cause\n        amount\n      }\n      byRevision {\n        amount\n        revision {\n          hash\n          commit\n          author\n          subject\n          dirty\n        }\n        before {\n          commit\n          dirty\n        }\n        byCause {\n          cause\n          amount\n        }\n        changes\n        lines {\n          file\n          line\n          before\n          after\n          commit\n          author\n          subject\n        }\n      }\n      groups {\n        key\n        change\n        byCause {\n          cause\n          amount\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliWhyCostDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliBudgets {\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n      forecast {\n        endsAt\n        exhaustedAt\n        earliest\n        latest\n        expected\n        low\n        high\n        pastDays\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliBudgetsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliListAlerts($first: Int!) {\n    alerts(first: $first) {\n      edges {\n        node {\n          id\n          at\n          kind\n          severity\n          scope\n          message\n          remedy\n          details\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliListAlertsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliTestAlerts {\n    testAlerts {\n      name\n      kind\n      failure\n    }\n  }\n"): typeof import('./graphql.ts').CliTestAlertsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliTraffic($from: DateTime!, $to: DateTime!, $last: Int!, $before: String) {\n    runs(filter: { startedFrom: $from, startedTo: $to }, last: $last, before: $before) {\n      pageInfo {\n        hasPreviousPage\n        startCursor\n      }\n      edges {\n        node {\n          id\n          parent {\n            id\n          }\n          task {\n            name\n          }\n          caller {\n            name\n            team\n            tier\n          }\n          tags {\n            key\n            value\n          }\n          inputHash\n          status\n          error {\n            code\n          }\n          cached\n          startedAt\n          finishedAt\n          latencyMs\n          steps {\n            key\n            kind\n            status\n          }\n          attempts {\n            step\n            provider {\n              name\n            }\n            requestedModel\n            status\n            errorClass\n            inputTokens\n            cachedInputTokens\n            cacheWriteTokens\n            outputTokens\n            reasoningTokens\n            cost\n            heldTokens\n            rates\n            latencyMs\n            firstTokenMs\n            decision {\n              rule\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliTrafficDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliAskAgain($name: String!, $input: JSON!, $key: String!) {\n    runTaskJson(name: $name, input: $input, options: { idempotencyKey: $key }) {\n      __typename\n      ... on Run {\n        status\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliAskAgainDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliClusterNodes {\n    nodes {\n      place\n    }\n  }\n"): typeof import('./graphql.ts').CliClusterNodesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliNamesToPause {\n    taskTypes {\n      name\n    }\n    providers {\n      name\n      models {\n        key\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliNamesToPauseDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliPauseSpending($scope: SpendScopeInput!, $reason: String!) {\n    pauseSpending(scope: $scope, reason: $reason) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n"): typeof import('./graphql.ts').CliPauseSpendingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CliResumeSpending($scope: SpendScopeInput!) {\n    resumeSpending(scope: $scope) {\n      scope\n      reason\n      by\n      since\n    }\n  }\n"): typeof import('./graphql.ts').CliResumeSpendingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliWhatIsPaused($all: Boolean!) {\n    spendSwitches @include(if: $all) {\n      scope\n      reason\n      by\n      since\n    }\n    viewer {\n      scopes\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliWhatIsPausedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliListRuns($first: Int!, $after: String, $filter: RunFilter) {\n    runs(first: $first, after: $after, filter: $filter) {\n      edges {\n        node {\n          id\n          startedAt\n          task {\n            name\n          }\n          status\n          caller {\n            name\n            team\n          }\n          tags {\n            key\n            value\n          }\n          cost\n          saved\n          cached\n          latencyMs\n          error {\n            code\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliListRunsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliSpend($span: SpanInput!, $by: [StatsDimension!], $tagKey: String, $filter: SpendFilter) {\n    spend(span: $span, by: $by, tagKey: $tagKey, filter: $filter) {\n      from\n      to\n      complete\n      total {\n        ...CliSpendBucket\n      }\n      groups {\n        keys {\n          dimension\n          value\n        }\n        bucket {\n          ...CliSpendBucket\n        }\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n      resetsAt\n    }\n  }\n"): typeof import('./graphql.ts').CliSpendDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CliSpendBucket on CostBucket {\n    cost\n    saved\n    runs\n    attempts\n    errors\n    inputTokens\n    cachedInputTokens\n    outputTokens\n    latencyP50Ms\n    latencyP95Ms\n  }\n"): typeof import('./graphql.ts').CliSpendBucketFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliTop {\n    pace {\n      perMinute\n      usualPerMinute\n    }\n    spend(span: { window: HOUR }) {\n      total {\n        cost\n        runs\n        errors\n      }\n    }\n    viewer {\n      pauses {\n        scope\n        reason\n        by\n        since\n      }\n    }\n    budgets {\n      name\n      account\n      unit\n      limit\n      spent\n      held\n    }\n    providers {\n      name\n      available\n      unavailable\n      models {\n        key\n        circuit\n        inFlight\n        queued\n        latencyMs\n        requestHeadroom\n        tokenHeadroom\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliTopDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CliDearestRuns($first: Int!, $filter: RunFilter!) {\n    runs(first: $first, filter: $filter) {\n      edges {\n        node {\n          id\n          task {\n            name\n          }\n          status\n          caller {\n            name\n          }\n          cost\n          latencyMs\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CliDearestRunsDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
