namespace Kohakku.Controller.Console.Workflows;

/// <summary>What a new workflow begins as: small, runnable with the seeded agent <c>shell</c>, and with one of most things.</summary>
internal static class StartingDocument
{
    public const string Text =
        """
        name: first-workflow
        description: Count the words of some texts, ask a person, and write a report.
        inputs:
          texts: { type: array, default: ["one two three", "four five"], description: What to count the words of }
        steps:
          - id: count
            for_each: "{{ inputs.texts }}"
            max_parallel: 4
            agent: shell
            brief: |
              words=$(echo "{{ item }}" | wc -w)
              echo "{ \"words\": $words }" > output/result.json
          - id: gate
            needs: [count]
            approval: { prompt: "Write a report about {{ steps.count.succeeded }} texts?", timeout: 1d }
          - id: report
            needs: [gate]
            agent: shell
            brief: |
              echo '{{ steps.count.outputs | json }}' > output/counts.json
              echo '{ "report": "counts.json" }' > output/result.json
        outputs:
          report: "{{ steps.report.output.report }}"

        """;
}
