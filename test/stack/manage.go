package stack

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
)

// Manage is a client of Azure Resource Manager, signed in as the operator.
func (s *Stack) Manage(o Operator) (*arm.Client, error) {
	credential, options, err := s.signIn(o)
	if err != nil {
		return nil, err
	}
	options.Cloud = cloud.AzurePublic // which knows where Azure Resource Manager is
	return arm.New(credential, arm.Options{ClientOptions: options, Clock: clock.RealClock{}})
}

// Answered is the HTTP status and the error code by which Azure has refused something; false for other errors.
func Answered(err error) (status int, code string, is bool) {
	refused := (*azcore.ResponseError)(nil)
	if !errors.As(err, &refused) {
		return 0, "", false
	}
	return refused.StatusCode, refused.ErrorCode, true
}
