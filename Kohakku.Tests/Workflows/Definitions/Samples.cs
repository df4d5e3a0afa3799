namespace Kohakku.Tests.Workflows.Definitions;

/// <summary>Documents that are right.</summary>
internal static class Samples
{
    /// <summary>As the documentation of the language shows it.</summary>
    public const string FixIssue = """
        name: fix-issue
        description: Plan, get approval, implement in parallel, review.
        inputs:
          repo:  { type: string, required: true }
          issue: { type: string, required: true }
        concurrency: { key: "{{ inputs.repo }}", limit: 1 }      # runs with the same key queue
        timeout: 1d
        on_failure: notify                                       # a step that runs when the run fails
        steps:
          - id: plan
            agent: planner
            brief: |
              Plan a fix for {{ inputs.issue }} in {{ inputs.repo }}. Write output/result.json: {"parts": [...]}.
            output: { type: object, required: [parts] }          # JSON schema; a task whose output does not fit fails as InvalidResult
          - id: gate
            needs: [plan]
            approval: { prompt: "Go ahead with {{ steps.plan.output.parts | size }} parts?", timeout: 2d, on_timeout: reject }
          - id: implement
            needs: [gate]
            for_each: "{{ steps.plan.output.parts }}"            # fan out; `item` and `index` in scope
            max_parallel: 4
            agent: coder
            skills: [git]
            brief: "Implement: {{ item.title }}"
            retry: { max_attempts: 2 }
            continue_on_error: true
          - id: cool_down
            needs: [implement]
            wait: 30s
          - id: review
            needs: [cool_down]
            if: "{{ steps.implement.succeeded > 0 }}"
            best_of: { count: 3, judge: { agent: judge, brief: "Pick the best: {{ candidates | json }}" } }
            agent: reviewer
            brief: "Review {{ steps.implement.outputs | json }}"
          - id: publish
            needs: [review]
            workflow: publish-report                             # a sub-workflow
            with: { report: "{{ steps.review.output }}" }
          - id: notify
            webhook: { url: "https://…", body: { run: "{{ run.id }}", status: "{{ run.status }}" } }
        outputs:
          report: "{{ steps.publish.output.url }}"
        """;

    /// <summary>Every key there is.</summary>
    public const string Everything = """
        name: everything
        description: Each key once.
        inputs:
          who: string
          count: { type: integer, default: 3, description: How many., enum: [3, 5] }
          more: { type: any }
        concurrency: { key: "{{ inputs.who }}" }
        timeout: 1w
        on_failure: last
        steps:
          - id: first
            agent: "coder-{{ inputs.count }}"
            title: "For {{ inputs.who }}"
            brief: Do it.
            skills: [git@2, dotnet]
            inputs: { number: 5, text: "5", truth: true, nothing: null, who: "{{ inputs.who }}", list: [1.50, -3, 1e3] }
            env: { CI: true, WHO: "{{ inputs.who }}" }
            labels: { gpu: "true" }
            tags: [nightly, 7]
            priority: -5
            output: { type: object, properties: { n: { $ref: "#/definitions/n" } }, definitions: { n: { type: integer } } }
            resources: { cpu: 1.5, memoryMb: 2048, pids: 512 }
            network: { mode: internet }
            best_of: { count: 2, judge: { agent: judge, brief: "{% for candidate in candidates %}{{ candidate | json }}{% endfor %}" } }
            timeout: 1h30m
            retry: { max_attempts: 100 }
          - id: many
            needs: [first]
            if: "{{ steps.first.status == 'succeeded' and inputs.count > 2 }}"
            for_each: "{{ steps.first.output.parts }}"
            max_parallel: 2
            continue_on_error: true
            workflow: other
            version: 4
            with: { item: "{{ item }}", index: "{{ index }}" }
          - id: until
            needs: [many]
            until: "2026-03-01T09:00:00+01:00"
          - { id: pause, wait: "{{ inputs.count }}m" }
          - { id: go, signal: { name: go-on } }
          - { id: ask, approval: { prompt: Well?, timeout: 2d, on_timeout: approve } }
          - id: call
            webhook: { url: "https://example.org/{{ run.id }}", method: PUT, headers: { X-Run: "{{ run.id }}" }, body: ["{{ run }}", 1] }
          - { id: last, webhook: "https://example.org" }
        outputs: { all: "{{ steps | json }}", first: "{{ steps.first.output }}" }
        """;

    public static TheoryData<string> All => [FixIssue, Everything];
}
