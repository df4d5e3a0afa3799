using Kohakku.Contracts.Triggers;

namespace Kohakku.Controller.Console.Triggers;

/// <summary>A delivery to try a trigger with: what templates look at most, not all that the sender sends.</summary>
/// <param name="Headers">One a line, as <c>name: value</c>.</param>
internal sealed record TriggerSample(string Name, string Headers, string Payload)
{
    public static IReadOnlyList<TriggerSample> Of(TriggerVerification verify) => verify switch
    {
        TriggerVerification.Github => [Push, PullRequest, Issue, Comment],
        TriggerVerification.Standard => [Standard],
        _ => [Plain],
    };

    private static readonly TriggerSample Push = new("Push", "X-GitHub-Event: push\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958",
        """
        {
          "ref": "refs/heads/main",
          "before": "7d1f2b3a4c5d6e7f8091a2b3c4d5e6f708192a3b",
          "after": "b81d7c02a9e64f3585d1b7c0e9f4a2d36c5e8f01",
          "deleted": false,
          "forced": false,
          "repository": { "full_name": "octo-org/octo-repo", "clone_url": "https://github.com/octo-org/octo-repo.git", "default_branch": "main" },
          "pusher": { "name": "octocat" },
          "sender": { "login": "octocat" },
          "head_commit": { "id": "b81d7c02a9e64f3585d1b7c0e9f4a2d36c5e8f01", "message": "Changelog" },
          "commits": [{ "id": "b81d7c02a9e64f3585d1b7c0e9f4a2d36c5e8f01", "message": "Changelog", "added": [], "removed": [], "modified": ["CHANGELOG.md"] }]
        }
        """);

    private static readonly TriggerSample PullRequest = new("Pull request opened", "X-GitHub-Event: pull_request\nX-GitHub-Delivery: 0b989ba4-242f-11e5-81e1-c7b6966d2516",
        """
        {
          "action": "opened",
          "number": 321,
          "pull_request": {
            "number": 321, "title": "Count litres", "body": "Closes #299", "draft": false, "html_url": "https://github.com/octo-org/octo-repo/pull/321",
            "user": { "login": "octocat" },
            "head": { "ref": "litres", "sha": "e41b2f9c07d8a6359b1c4e7f20d3a5b6c8e9f012" },
            "base": { "ref": "main", "sha": "b81d7c02a9e64f3585d1b7c0e9f4a2d36c5e8f01" }
          },
          "repository": { "full_name": "octo-org/octo-repo", "clone_url": "https://github.com/octo-org/octo-repo.git" },
          "sender": { "login": "octocat" }
        }
        """);

    private static readonly TriggerSample Issue = new("Issue labeled", "X-GitHub-Event: issues\nX-GitHub-Delivery: 5f1b4c1e-2f0a-11ee-9c3d-1b7f8f0a9a11",
        """
        {
          "action": "labeled",
          "issue": {
            "number": 318, "title": "It never stops", "body": "At 1,450 m it boils for ever.", "html_url": "https://github.com/octo-org/octo-repo/issues/318",
            "user": { "login": "octocat" }, "labels": [{ "name": "bug" }, { "name": "agent" }]
          },
          "label": { "name": "agent" },
          "repository": { "full_name": "octo-org/octo-repo", "clone_url": "https://github.com/octo-org/octo-repo.git" },
          "sender": { "login": "octocat" }
        }
        """);

    private static readonly TriggerSample Comment = new("Comment made", "X-GitHub-Event: issue_comment\nX-GitHub-Delivery: 9a7d2c30-2f0a-11ee-8a52-57c1a0e6d2b4",
        """
        {
          "action": "created",
          "issue": { "number": 318, "title": "It never stops", "html_url": "https://github.com/octo-org/octo-repo/issues/318" },
          "comment": { "id": 2734400917, "body": "/agent reproduce this, please", "author_association": "MEMBER", "user": { "login": "octocat" } },
          "repository": { "full_name": "octo-org/octo-repo" },
          "sender": { "login": "octocat" }
        }
        """);

    private static readonly TriggerSample Standard = new("Invoice paid", "webhook-id: msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        """
        { "type": "invoice.paid", "timestamp": "2026-01-31T12:00:00Z", "data": { "id": "in_204", "amount": 1200 } }
        """);

    private static readonly TriggerSample Plain = new("Alert", "",
        """
        { "id": "a-17", "status": "firing", "summary": "The disk of db-1 is nearly full" }
        """);
}
