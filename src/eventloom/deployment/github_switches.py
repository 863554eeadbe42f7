"""Define the rights that a delivery pipeline needs only if a switch in the table of environments is on."""

from eventloom.deployment.github_rights import Rights

_IN_REGION = {"StringEquals": {"aws:RequestedRegion": "{r}"}}
# The switches for which a deployment needs additional rights
FEATURES = ("alb", "athena", "backfill", "cognito", "vpc")

SWITCHED = (
    Rights(
        "Analytics",
        "arn:{p}:athena:{r}:{a}:workgroup/{n}-* arn:{p}:glue:{r}:{a}:catalog arn:{p}:glue:{r}:{a}:database/{g}_* "
        "arn:{p}:glue:{r}:{a}:table/{g}_*/*",
        "athena:GetWorkGroup athena:ListTagsForResource glue:GetDatabase glue:GetTable glue:GetTables glue:GetTags",
        "athena:CreateWorkGroup athena:DeleteWorkGroup athena:TagResource athena:UntagResource "
        "athena:UpdateWorkGroup glue:CreateDatabase glue:DeleteDatabase glue:DeleteTable glue:TagResource "
        "glue:UntagResource glue:UpdateDatabase",
        features=frozenset({"athena"}),
    ),
    Rights(
        "StateMachines",
        "arn:{p}:states:{r}:{a}:stateMachine:{n}-*",
        "states:DescribeStateMachine states:ListStateMachineVersions states:ListTagsForResource",
        "states:CreateStateMachine states:DeleteStateMachine states:TagResource states:UntagResource "
        "states:UpdateStateMachine",
        features=frozenset({"backfill"}),
    ),
    Rights(
        "Users",
        "*",
        "cognito-idp:DescribeUserPool cognito-idp:DescribeUserPoolClient cognito-idp:DescribeUserPoolDomain "
        "cognito-idp:GetUserPoolMfaConfig cognito-idp:ListTagsForResource",
        "cognito-idp:CreateUserPool cognito-idp:CreateUserPoolClient cognito-idp:CreateUserPoolDomain "
        "cognito-idp:DeleteUserPool cognito-idp:DeleteUserPoolClient cognito-idp:DeleteUserPoolDomain "
        "cognito-idp:SetUserPoolMfaConfig cognito-idp:TagResource cognito-idp:UntagResource "
        "cognito-idp:UpdateUserPool cognito-idp:UpdateUserPoolClient cognito-idp:UpdateUserPoolDomain",
        _IN_REGION,
        frozenset({"cognito"}),
    ),
    Rights(
        "Network",
        "*",
        "ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones ec2:DescribeInternetGateways "
        "ec2:DescribeManagedPrefixLists ec2:DescribeNetworkAcls ec2:DescribeNetworkInterfaces ec2:DescribePrefixLists "
        "ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups ec2:DescribeSubnets "
        "ec2:DescribeVpcAttribute ec2:DescribeVpcEndpoints ec2:DescribeVpcs",
        "ec2:AssociateRouteTable ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress "
        "ec2:CreateRouteTable ec2:CreateSecurityGroup ec2:CreateSubnet ec2:CreateTags ec2:CreateVpc "
        "ec2:CreateVpcEndpoint ec2:DeleteNetworkInterface ec2:DeleteRouteTable ec2:DeleteSecurityGroup "
        "ec2:DeleteSubnet ec2:DeleteTags ec2:DeleteVpc ec2:DeleteVpcEndpoints ec2:DetachNetworkInterface "
        "ec2:DisassociateRouteTable ec2:ModifySecurityGroupRules ec2:ModifySubnetAttribute ec2:ModifyVpcAttribute "
        "ec2:ModifyVpcEndpoint ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress",
        _IN_REGION,
        frozenset({"alb", "vpc"}),
    ),
    Rights(
        "LoadBalancer",
        "*",
        "elasticloadbalancing:DescribeListenerAttributes elasticloadbalancing:DescribeListeners "
        "elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:DescribeLoadBalancers "
        "elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTags "
        "elasticloadbalancing:DescribeTargetGroupAttributes elasticloadbalancing:DescribeTargetGroups "
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:AddTags elasticloadbalancing:CreateListener elasticloadbalancing:CreateLoadBalancer "
        "elasticloadbalancing:CreateRule elasticloadbalancing:CreateTargetGroup elasticloadbalancing:DeleteListener "
        "elasticloadbalancing:DeleteLoadBalancer elasticloadbalancing:DeleteRule "
        "elasticloadbalancing:DeleteTargetGroup elasticloadbalancing:DeregisterTargets "
        "elasticloadbalancing:ModifyListener elasticloadbalancing:ModifyLoadBalancerAttributes "
        "elasticloadbalancing:ModifyRule elasticloadbalancing:ModifyTargetGroup "
        "elasticloadbalancing:ModifyTargetGroupAttributes elasticloadbalancing:RegisterTargets "
        "elasticloadbalancing:RemoveTags elasticloadbalancing:SetIpAddressType "
        "elasticloadbalancing:SetSecurityGroups elasticloadbalancing:SetSubnets",
        _IN_REGION,
        frozenset({"alb"}),
    ),
    Rights(
        "LoadBalancersOwnRole",
        "arn:{p}:iam::{a}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
        "",
        "iam:CreateServiceLinkedRole",
        {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        frozenset({"alb"}),
    ),
)
